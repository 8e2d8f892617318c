"""The papers' networks as lists of layers."""

from keras_bc.recipes.recipe import Layers

# As in the released codes, where it is Lasagne's default; Keras's is 1e-7.
ADAM = ("Adam", {"epsilon": 1e-8})

# Epsilon is that of the released codes; BinaryConnect's last version adds it to the deviation, not
# to the variance. The moving averages do not matter: they are estimated anew.
BATCH_NORM = ("BatchNormalization", {"momentum": 0.9, "epsilon": 1e-4})
RELU = ("ReLU", {})
POOL = ("MaxPooling2D", {"pool_size": 2})

# The real weights start anywhere between the clips.
UNIFORM = {"class_name": "RandomUniform", "config": {"minval": -1.0, "maxval": 1.0}}


def glorot(kind: str) -> dict:
    """A quantizer with H = the Glorot coefficient; Keras's initial weights reach twice as far."""
    return {"class_name": f"keras_bc>{kind}", "config": {"scale": "glorot"}}


def dense(units: int, **arguments) -> tuple[str, dict]:
    """A dense layer, binary if `arguments` names a quantizer; batch norm makes a bias needless."""
    kind = "BinaryDense" if "kernel_quantizer" in arguments else "Dense"
    return (kind, {"units": units, "use_bias": False, **arguments})


def conv(filters: int, size: int = 3, **arguments) -> tuple[str, dict]:
    """A convolution, binary if `arguments` names a quantizer."""
    kind = "BinaryConv2D" if "kernel_quantizer" in arguments else "Conv2D"
    return (kind, {"filters": filters, "kernel_size": size, "use_bias": False, **arguments})


def mlp(
    *units: int,
    input_dropout: float = 0.0,
    dropout: float = 0.0,
    batch_norm: tuple = BATCH_NORM,
    activation: tuple = (RELU,),
    **arguments,
) -> Layers:
    """Dense layers, each followed by batch norm, and all but the last by an activation.

    Args:
        units: Of each layer.
        input_dropout: Share of the inputs that training drops.
        dropout: Share of each hidden layer's outputs that training drops.
        batch_norm: Of the hidden layers.
        activation: Layers behind each hidden layer's batch norm.
        arguments: Of the dense layers.
    """
    *hidden, classes = units
    layers = [*_dropout(input_dropout)]
    for count in hidden:
        layers += [dense(count, **arguments), batch_norm, *activation, *_dropout(dropout)]
    return (*layers, dense(classes, **arguments), BATCH_NORM)


def vgg(
    *filters: int,
    units: int = 1024,
    batch_norm: tuple = BATCH_NORM,
    activation: tuple = (RELU,),
    **arguments,
) -> Layers:
    """The net of BinaryConnect, section 3.2: (2 x C3 - MP2) for each count of filters, 2 x FC - 10.

    The second convolution of each pair is pooled before its batch norm.

    Args:
        filters: Of each pair.
        units: Of each of the two hidden dense layers.
        batch_norm: Of the hidden layers.
        activation: Layers behind each hidden layer's batch norm.
        arguments: Of the convolutions and the dense layers.
    """
    layers = []
    for count in filters:
        one = conv(count, padding="same", **arguments)
        layers += [one, batch_norm, *activation, one, POOL, batch_norm, *activation]
    layers.append(("Flatten", {}))
    for _ in range(2):
        layers += [dense(units, **arguments), batch_norm, *activation]
    return (*layers, dense(10, **arguments), BATCH_NORM)


def _dropout(rate: float) -> Layers:
    return (("Dropout", {"rate": rate}),) if rate else ()
