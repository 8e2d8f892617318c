"""Each picture is a PNG that a page can carry, and a missing input is one line."""

import json

import keras
import pytest
from click.testing import CliRunner

import keras_bc
from keras_bc import results
from tests.benchmarks import scripts

pictures = scripts.load("pictures")
NAMES = {"weights", "features", "curves-mnist", "curves-cifar10", "shift_range"}


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run the command; returns its exit code, and the lines on stderr."""
    monkeypatch.setattr(pictures, "SHIFT_RANGE", tmp_path / "shift_range.json")

    def run():
        arguments = [str(tmp_path), "--output", str(tmp_path / "pictures")]
        result = CliRunner().invoke(pictures.main, arguments)
        return result.exit_code, result.stderr.splitlines()

    return run


def test_draws_small_pngs(run, tmp_path, monkeypatch):
    for name in pictures.MNIST_AND_DROPOUT.values():
        layers = [keras.Input((784,)), keras_bc.BinaryDense(32)]
        keras.Sequential(layers, name=name).save(tmp_path / f"{name}.keras")
    course = {"loss": [0.5, 0.1], "validation_error": [5.0, 3.0], "best_validation_error": 3.0}
    monkeypatch.setattr(results, "runs", lambda: [course])
    monkeypatch.setattr(results, "is_of", lambda recipe, run: True)
    rows = [{"shifts": n, "seed": 0, "test_error": 2.0} for n in (1, 2, None)]
    shift_range = {"recipe": "mnist-few-ternary-qbp", "epochs": 2, "rows": rows}
    (tmp_path / "shift_range.json").write_text(json.dumps(shift_range))
    assert run() == (0, [])
    drawn = {path.stem: path.read_bytes() for path in (tmp_path / "pictures").iterdir()}
    assert set(drawn) == NAMES
    for data in drawn.values():
        assert data.startswith(b"\x89PNG")
        assert 3_000 < len(data) < 200_000


def test_missing_inputs_are_told(run, monkeypatch):
    monkeypatch.setattr(results, "runs", lambda: [])
    code, lines = run()
    assert code == 1
    assert [line.split(".png")[0] for line in lines] == list(pictures.PICTURES)
    assert "benchmarks/train.py mnist-mlp-none" in lines[2]
    assert "benchmarks/shift_range.py" in lines[4]
