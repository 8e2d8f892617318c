"""The ranges that are asked for, and a file that pictures.py can draw."""

import json
import subprocess
import sys

import numpy as np
import pytest

from keras_bc import recipes
from tests.benchmarks import scripts

RECIPE = recipes.find("mnist-few-ternary-qbp")


def _quantizers(recipe):
    return [a["backprop_quantizer"] for _, a in recipe.layers if "backprop_quantizer" in a]


def test_only_the_range_changes():
    limited = scripts.load("shift_range").limited(RECIPE, 3)
    assert {
        (q["config"]["min_exponent"], q["config"]["max_exponent"]) for q in _quantizers(limited)
    } == {(-3, 3)}
    assert len(_quantizers(limited)) == 4
    assert [kind for kind, _ in limited.layers] == [kind for kind, _ in RECIPE.layers]
    recipes.build(limited)


def test_without_quantized_back_propagation():
    plain = scripts.load("shift_range").limited(RECIPE, None)
    assert _quantizers(plain) == [None] * 4


@pytest.mark.slow
def test_writes_what_is_drawn(tmp_path):
    data, output = tmp_path / "data.npz", tmp_path / "shift_range.json"
    random = np.random.default_rng(0)
    x = random.random((1000, 784), dtype="float32")
    np.savez(data, x=x, y=random.integers(10, size=1000))
    options = ["--dataset", data, "--epochs", "1", "--seeds", "1", "--shifts", "2"]
    command = [sys.executable, scripts.FOLDER / "shift_range.py", *options, "--output", output]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = json.loads(output.read_text())["rows"]
    assert [row["shifts"] for row in rows] == [2, None]
    assert "up to 2" in shown and "no quantization" in shown
    assert scripts.load("pictures").draw_shift_range(output) is not None
