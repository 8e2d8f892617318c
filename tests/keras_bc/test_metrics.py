import doctest

import keras
import numpy as np
import pytest

from keras_bc import metrics
from keras_bc.metrics import FlipRatio
from tests.keras_bc.running_backend import BACKEND, WAYS, compiled, tensorflow_only

VALUES = np.float32([[1, -1, 0, 2], [1, 1, -1, 3], [1, 1, -1, 3], [-1, -1, 1, -1]])
RATIOS = [0, 1 / 2, 0, 1]  # of the flips from each row to the next; sign(0) = +1


@pytest.mark.parametrize("way", WAYS if BACKEND == "tensorflow" else ["eager"])
def test_worked_by_hand(way):
    metric = FlipRatio((4,))
    update = compiled(metric.update_state, way)
    assert float(metric.result()) == 0
    for number, row in enumerate(VALUES):
        update(row)
        assert float(metric.result()) == pytest.approx(sum(RATIOS[: number + 1]) / max(number, 1))


def test_a_reset_keeps_the_last_values():
    metric = FlipRatio((4,))
    metric.update_state(VALUES[0])
    metric.reset_state()
    assert float(metric.result()) == 0
    metric.update_state(VALUES[1])
    assert float(metric.result()) == 0.5


@tensorflow_only  # Keras keeps what JAX traces in a call out of metrics
def test_works_in_a_model_of_ones_own():
    class Watched(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1, use_bias=False)
            self.flips = FlipRatio((2, 1), name="flips")

        def build(self, input_shape):
            self.dense.build(input_shape)

        def call(self, inputs, training=False):
            if training:
                self.flips.update_state(self.dense.kernel)
            return self.dense(inputs)

    model = Watched()
    model.build((None, 2))
    model.dense.kernel.assign([[1.0], [1.0]])
    model.compile(keras.optimizers.SGD(1.5), "mse")
    # The gradient of (w0 + w1 - 0)² is 2 (w0 + w1): from (1, 1) to (-5, -5) and so on.
    logs = model.fit(np.ones((3, 2)), np.zeros(3), batch_size=1, verbose=0).history
    assert logs["flips"] == [1.0]


def test_serializes():
    metric = keras.metrics.deserialize(keras.metrics.serialize(FlipRatio((2, 3), name="flips")))
    assert isinstance(metric, FlipRatio)
    assert (metric.values_shape, metric.name) == ((2, 3), "flips")


def test_refuses_other_shapes():
    with pytest.raises(ValueError, match="Invalid value for argument `values`"):
        FlipRatio((4,)).update_state(np.ones((2, 4)))


def test_the_docstring_example_runs():
    failed, tried = doctest.testmod(metrics)
    assert failed == 0 and tried > 0
