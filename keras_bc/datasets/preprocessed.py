"""Data sets of tensorflow-datasets with the papers' preprocessing.

It is fitted on the training images alone, applied to all three parts, and part of the data set, so
that it can be saved with a model that was trained on it.
"""

from typing import NamedTuple

from keras_bc.datasets import tfds
from keras_bc.datasets.data import Data, Split


class _Variant(NamedTuple):
    source: str  # one of `tfds.SETS`
    layers: tuple[tuple[str, dict], ...]  # class names and arguments, in order


# As in the released code of BinaryConnect (Courbariaux et al. 2015): mnist.py, pylearn2's
# make_cifar10_gcn_whitened.py and svhn_preprocessing.py. The layers' docstrings say what differs.
VARIANTS = {
    "mnist-centered": _Variant(
        "mnist", (("Rescaling", {"scale": 1 / 255}), ("PixelCentering", {}))
    ),
    "cifar10-whitened": _Variant(
        "cifar10",
        (("GlobalContrastNormalization", {"scale": 55.0}), ("ZCAWhitening", {"filter_bias": 0.1})),
    ),
    "svhn-normalized": _Variant(
        "svhn",
        (
            ("GlobalContrastNormalization", {"scale": 1.0}),
            ("LocalContrastNormalization", {"kernel_size": 7, "threshold": 1e-4}),
        ),
    ),
}
NAMES = tuple(VARIANTS)


def load(name: str) -> Data:
    """Load a data set, one of `NAMES`, and the preprocessing that was applied to it.

    The pixels stay uint8 until then, so that "svhn-normalized" needs 9.7 GB, of which it keeps 7.7
    GB. The whitening of "cifar10-whitened" takes less than a minute on two cores, and 2.5 GB.

    Raises:
        UserError: It is not there, and cannot be downloaded.
    """
    from keras_bc import preprocessing

    parts = tfds.read(VARIANTS[name].source)
    fitted = preprocessing.fit(_layers(name), parts.train.x, name)
    return Data(name, *(_apply(fitted, part) for part in parts), tfds.CLASSES, fitted)


def load_test(name: str) -> Split:
    """Load the test examples alone. The training images are read only if the layers need them."""
    from keras_bc import preprocessing

    layers, source = _layers(name), VARIANTS[name].source
    if any(hasattr(layer, "adapt") for layer in layers):
        train, _, test = tfds.read(source)
    else:
        train = test = tfds.read_test(source)
    return _apply(preprocessing.fit(layers, train.x, name), test)


def _layers(name: str) -> list:
    import keras

    from keras_bc import preprocessing

    return [
        getattr(preprocessing if hasattr(preprocessing, kind) else keras.layers, kind)(
            **arguments, dtype="float32"
        )
        for kind, arguments in VARIANTS[name].layers
    ]


def _apply(fitted, images: Split) -> Split:
    from keras_bc import preprocessing

    return Split(preprocessing.apply(fitted, images.x), images.y)
