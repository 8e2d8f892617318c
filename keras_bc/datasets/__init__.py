"""Data sets, split and scaled.

The parts are as large as the papers', but tensorflow-datasets keeps the examples in an order of its
own, so other examples are in them.

- "mnist", "cifar10" and "svhn" come through tensorflow-datasets (from `TFDS_DATA_DIR`, else
  downloaded once), pixels scaled to [-1, 1];
- "mnist-centered", "cifar10-whitened" and "svhn-normalized" are the same images with the
  preprocessing of the BinaryConnect paper, which `Data.preprocessing` holds;
- "digits" ships with scikit-learn;
- a `.npz` file holds a user's own arrays: `x`, float32 as the model takes it, and `y`, integer
  labels; for a model of several inputs, instead of `x`, an array for each of them by its name.

Nothing is cached on disk beyond what tensorflow-datasets prepares.
"""

from keras_bc.datasets.data import Data, Split, fit_shape, fit_shapes
from keras_bc.datasets.loading import (
    NAMES,
    differ_in_preprocessing,
    load,
    load_calibration,
    load_test,
)
from keras_bc.datasets.npz import UNREADABLE, is_file, read_npz

__all__ = [
    "NAMES",
    "UNREADABLE",
    "Data",
    "Split",
    "differ_in_preprocessing",
    "fit_shape",
    "fit_shapes",
    "is_file",
    "load",
    "load_calibration",
    "load_test",
    "read_npz",
]
