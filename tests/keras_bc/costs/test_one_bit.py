import keras
import pytest
from keras import layers

from keras_bc.calls import calls
from keras_bc.costs import one_bit
from keras_bc.costs.products import products
from keras_bc.layers import BinaryConv2D, BinarySeparableConv2D, SignActivation


def _reads(*between, **arguments):
    model = keras.Sequential([keras.Input((6, 6, 2)), *between, BinaryConv2D(3, 2, **arguments)])
    *_, call = calls(model)
    (product,) = products(call)
    return one_bit.reads(product, call)


def test_the_own_quantizer_decides():
    assert _reads(input_quantizer="sign")
    assert _reads(input_quantizer="stochastic_sign")
    assert not _reads(input_quantizer="dorefa")
    assert not _reads(SignActivation(), input_quantizer="dorefa")


def test_signs_pass_what_keeps_them():
    assert not _reads()
    assert _reads(SignActivation())
    assert _reads(SignActivation(), layers.MaxPooling2D(2), layers.Dropout(0.5))
    assert _reads(SignActivation(), layers.Activation("linear"))
    assert not _reads(SignActivation(quantizer="dorefa"))


@pytest.mark.parametrize(
    "between",
    [
        layers.ZeroPadding2D(1),
        layers.AveragePooling2D(2),
        layers.BatchNormalization(),
        layers.ReLU(),
    ],
)
def test_signs_end(between):
    assert not _reads(SignActivation(), between)


def test_all_that_is_joined_must_be_signs():
    def joined(other):
        x = keras.Input((4,))
        y = layers.Concatenate()([SignActivation()(x), other(x)])
        *_, call = calls(keras.Model(x, layers.Dense(1)(y)))
        return one_bit.reads(products(call)[0], call)

    assert joined(SignActivation())
    assert not joined(layers.ReLU())


def test_the_second_product_of_a_layer_reads_the_first():
    model = keras.Sequential(
        [keras.Input((6, 6, 2)), SignActivation(), BinarySeparableConv2D(3, 2)]
    )
    *_, call = calls(model)
    assert [one_bit.reads(product, call) for product in products(call)] == [True, False]
