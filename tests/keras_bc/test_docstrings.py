"""The examples in the docstrings print what they say."""

import doctest
import importlib

import numpy as np
import pytest

import keras_bc


@pytest.mark.parametrize("module", ["keras_bc.layers.dense", "keras_bc.layers.convolution"])
def test_examples_run(module):
    names = {"np": np, "keras_bc": keras_bc}
    failed, tried = doctest.testmod(importlib.import_module(module), extraglobs=names)
    assert failed == 0 and tried > 0
