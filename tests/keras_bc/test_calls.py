import keras
import pytest
from keras import layers

from keras_bc.calls import calls
from keras_bc.errors import UserError


def _nested():
    inner = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, name="a"), layers.ReLU(name="b")], name="inner"
    )
    x = keras.Input((4,))
    twice = layers.Dense(3, name="twice")
    y = inner(x)
    return keras.Model(x, [twice(twice(y)), layers.Dense(5, name="c")(y)])


def test_opens_nested_models_and_follows_branches():
    found = calls(_nested())
    assert sorted(call.layer.name for call in found) == ["a", "b", "c", "twice", "twice"]
    for call in found:
        assert all(found.index(source) < found.index(call) for source in call.sources if source)
    by_name = {call.layer.name: call for call in found}
    assert by_name["a"].sources == [None]
    assert by_name["c"].sources == [by_name["b"]]
    assert (by_name["c"].input_shape, by_name["c"].output_shape) == ((3,), (5,))


def test_a_source_feeds_nothing_else():
    by_name = {call.layer.name: call for call in calls(_nested())}
    assert by_name["b"].source is by_name["a"]
    assert by_name["c"].source is None  # `b` is read twice
    assert by_name["a"].source is None  # the model's input


def test_what_a_model_gives_is_read():
    x = keras.Input((4,))
    y = layers.Dense(4)(x)
    *_, last = calls(keras.Model(x, [y, layers.ReLU()(y)]))
    assert last.source is None


def test_tells_a_second_call():
    twice = [call for call in calls(_nested()) if call.layer.name == "twice"]
    assert [call.repeated for call in twice] == [False, True]
    assert twice[1].sources == [twice[0]]


def test_operations_are_calls_too():
    x = keras.Input((4,))
    first, second = calls(keras.Model(x, layers.Dense(2)(x) + 1.0))
    assert second.sources == [first]


def test_nested_in_a_sequential():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="inner")])
    model = keras.Sequential([inner, layers.Dense(2, name="outer")])
    first, second = calls(model)
    assert second.sources == [first]


def test_refuses_unknown_shapes():
    class Subclassed(keras.Model):
        def call(self, inputs):
            return inputs

    for model in (Subclassed(), keras.Sequential([layers.Dense(2)])):
        with pytest.raises(UserError, match="sequential or functional"):
            calls(model)
    model = keras.Sequential([keras.Input((None, 3)), layers.Dense(2, name="dense")])
    with pytest.raises(UserError, match="'dense' has a shape that is not known"):
        _ = calls(model)[0].outputs_size
