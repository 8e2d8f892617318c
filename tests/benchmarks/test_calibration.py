"""The table of the calibrations, from a model that is trained in a moment."""

import json
import subprocess
import sys

import pytest

from keras_bc import recipes
from tests.benchmarks import scripts


def _model(name, drop, decibels):
    row = {"integer_error": 2.0, "drop": drop, "changed": 0.5, "snr_db": decibels}
    methods = [{"method": "minmax", **row}, {"method": "mse", **row, "drop": 0.0}]
    return {"model": name, "samples": 1000, "float_error": 1.5, "methods": methods}


def test_means_are_over_the_models():
    rows = scripts.load("calibration").means([_model("a", 0.5, 30.0), _model("b", 0.25, None)])
    assert rows[0] == {"method": "minmax", "drop": 0.375, "changed": 0.5, "snr_db": 30.0}
    assert rows[1]["drop"] == 0


def test_the_page_has_a_line_a_model():
    page = scripts.load("calibration").markdown([_model("a", 0.5, None)], "mse")
    assert "| `a` | 1,000 | 1.50 | +0.50 / 0.50 / exact | +0.00 / 0.50 / exact |" in page
    assert "| **mean** |" in page and "The default is\n`mse`" in page


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "digits.keras"
    recipes.build(recipes.find("digits-mlp"), 0, "digits-mlp").save(path)
    return path


def test_measures_and_writes(model, tmp_path):
    output, page = tmp_path / "calibration.json", tmp_path / "docs" / "calibration.md"
    options = ["--method", "minmax", "--method", "mse", "--output", output, "--page", page]
    command = [sys.executable, scripts.FOLDER / "calibration.py", model, *options]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (found,) = json.loads(output.read_text())["models"]
    assert (found["recipe"], found["dataset"], found["samples"]) == ("digits-mlp", "digits", 179)
    for row in found["methods"]:
        drop = row["integer_error"] - found["float_error"]
        assert row["drop"] == pytest.approx(drop, abs=1e-3)
        assert row["snr_db"] > 20
    assert "`digits`" in page.read_text() and "Means over 1 models" in shown
