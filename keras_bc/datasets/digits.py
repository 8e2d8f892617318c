"""scikit-learn's 8x8 digits: no download."""

from keras_bc.datasets.data import Data, Split
from keras_bc.datasets.npz import divide


def load() -> Data:
    """Load 1,797 images `(n, 8, 8, 1)`, pixels scaled to [-1, 1], divided 80:10:10."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = digits.images.astype("float32")[..., None] / 8 - 1  # 0..16 to [-1, 1]
    return divide("digits", Split(images, digits.target.astype("int64")))
