import numpy as np
import pytest
from click.testing import CliRunner

from keras_bc import cli, datasets
from keras_bc.errors import UserError


def test_digits_are_scaled_and_divided():
    data = datasets.load("digits")
    assert (len(data.train), len(data.validation), len(data.test)) == (1439, 179, 179)
    for split in (data.train, data.validation, data.test):
        assert split.x.shape[1:] == (8, 8, 1)
        assert split.x.dtype == "float32" and split.y.dtype == "int64"
        assert split.x.min() == -1 and split.x.max() == 1
    assert data.classes == 10 and data.preprocessing is None
    assert np.array_equal(data.train.x, datasets.load("digits").train.x)


def test_named_sets_are_tested_on_their_test_split():
    assert len(datasets.load_test("digits")) == 179
    assert len(datasets.load_calibration("digits")) == 1439


@pytest.mark.parametrize("load", [datasets.load, datasets.load_test, datasets.load_calibration])
def test_refuses_an_unknown_name(load):
    with pytest.raises(UserError, match=r"no data set 'minst'.*mnist, cifar10, .*digits"):
        load("minst")


def test_the_command_line_names_all():
    lines = CliRunner().invoke(cli.main, ["train", "--help"]).output.split()
    text = " ".join(lines).replace("- ", "-")  # where a line breaks in a name
    assert set(datasets.NAMES) <= set(text.replace(",", " ").split())
