"""The examples in the docstrings print what they say."""

import doctest
import importlib

import keras
import numpy as np
import pytest

import keras_bc


@pytest.mark.parametrize(
    "module",
    [
        "keras_bc.layers.activation",
        "keras_bc.layers.convolution",
        "keras_bc.layers.dense",
        "keras_bc.layers.depthwise",
        "keras_bc.layers.normalization",
        "keras_bc.metrics",
    ],
)
def test_examples_run(module):
    names = {"np": np, "keras": keras, "keras_bc": keras_bc}
    failed, tried = doctest.testmod(importlib.import_module(module), extraglobs=names)
    assert failed == 0 and tried > 0
