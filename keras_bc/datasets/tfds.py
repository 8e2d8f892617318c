"""Images of tensorflow-datasets, as they are: uint8 pixels, in the papers' three parts."""

import contextlib
import os
import sys
import urllib.error
import urllib.request
from typing import NamedTuple

import numpy as np

from keras_bc.datasets.data import Split
from keras_bc.errors import UserError
from keras_bc.quiet_import import import_tensorflow


class _Set(NamedTuple):
    """A data set of tensorflow-datasets."""

    name: str  # there
    holdout: dict[str, int]  # its splits to train on, and how many of the last validate
    source: str  # where its files come from
    by_class: bool = False  # whether so many of each class validate


# As many validate as in the papers; of SVHN those of Sermanet et al. 2012 (Convolutional neural
# networks applied to house numbers digit classification, section 4): 6,000.
SETS = {
    "mnist": _Set(
        "mnist", {"train": 10_000}, "https://storage.googleapis.com/cvdf-datasets/mnist/"
    ),
    "cifar10": _Set("cifar10", {"train": 5_000}, "https://www.cs.toronto.edu/~kriz/"),
    "svhn": _Set(
        "svhn_cropped",
        {"train": 400, "extra": 200},
        "http://ufldl.stanford.edu/housenumbers/",
        by_class=True,
    ),
}
CLASSES = 10
_TIMEOUT = 5  # seconds


class Parts(NamedTuple):
    """Training, validation and test images: `x` uint8 `(n, h, w, c)`, `y` int64 `(n,)`."""

    train: Split
    validation: Split
    test: Split


def read(name: str) -> Parts:
    """Read a data set.

    It needs memory for twice the pixels: for "svhn", with 604,388 images to train and validate on
    and 26,032 to test, 3.8 GB, of which the result keeps 1.9 GB.

    Args:
        name: One of `SETS`.

    Raises:
        UserError: It is not there, and cannot be downloaded.
    """
    builder = _builder(name)
    train, validation = _hold_out(builder, SETS[name])
    return Parts(train, validation, _read_split(builder, "test"))


def read_test(name: str) -> Split:
    """Read the test images alone. Arguments and errors are those of `read`."""
    return _read_split(_builder(name), "test")


def _builder(name: str):
    """What reads the prepared data set."""
    import_tensorflow()
    import tensorflow_datasets as tfds

    try:
        with _absl_errors_only():
            # tfds itself reads the variable only once, when it is imported.
            builder = tfds.builder(SETS[name].name, data_dir=os.environ.get("TFDS_DATA_DIR"))
            prepared = builder.is_prepared()
        if not prepared:
            _check_network(SETS[name].source)
            with contextlib.redirect_stdout(sys.stderr):  # it says what it downloads
                builder.download_and_prepare()
    except Exception as error:  # tfds lets through what its downloader, disk and parsers raise
        raise UserError(
            f"Cannot get the data set '{name}' ({_reason(error)}). Set TFDS_DATA_DIR to a "
            "folder that holds it, connect to the network, give your own arrays with --dataset "
            "FILE.npz, or train the recipe digits-mlp, which needs no download."
        ) from error
    return builder


@contextlib.contextmanager
def _absl_errors_only():
    """Without the warning that a folder is not there yet."""
    from absl import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _reason(error: Exception) -> str:
    """The exception in a few words of one line."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words[:100]}" if words else type(error).__name__


def _check_network(url: str) -> None:
    """Raise an OSError at once without a network; the downloader would try again for minutes."""
    try:
        urllib.request.urlopen(url, timeout=_TIMEOUT).close()
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            raise


def _hold_out(builder, source: _Set) -> tuple[Split, Split]:
    """Divide the splits to train on into training and validation images."""
    train, validation = [], []
    for split, count in source.holdout.items():
        images = _read_split(builder, split)
        held = _last_of_each_class(images.y, count) if source.by_class else _last(images.y, count)
        train.append(Split(images.x[~held], images.y[~held]))
        validation.append(Split(images.x[held], images.y[held]))
        del images  # before the next split is read, which may be much larger
    return _join(train), _join(validation)


def _last(y: np.ndarray, count: int) -> np.ndarray:
    """Whether each label is among the last."""
    return np.arange(len(y)) >= len(y) - count


def _last_of_each_class(y: np.ndarray, count: int) -> np.ndarray:
    """Whether each label is among the last of its class."""
    held = np.zeros(len(y), bool)
    for label in range(CLASSES):
        held[np.flatnonzero(y == label)[-count:]] = True
    return held


def _join(splits: list[Split]) -> Split:
    if len(splits) == 1:
        return splits[0]
    return Split(np.concatenate([s.x for s in splits]), np.concatenate([s.y for s in splits]))


def _read_split(builder, split: str) -> Split:
    import tensorflow_datasets as tfds

    dataset = builder.as_dataset(
        split=split, as_supervised=True, batch_size=1000, shuffle_files=False
    )
    total, start = builder.info.splits[split].num_examples, 0
    x = np.empty((total, *builder.info.features["image"].shape), "uint8")
    y = np.empty(total, "int64")
    for images, labels in tfds.as_numpy(dataset):
        part = slice(start, start := start + len(labels))
        x[part], y[part] = images, labels
    return Split(x, y)
