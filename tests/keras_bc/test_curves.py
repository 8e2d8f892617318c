import pytest

from keras_bc import curves

HISTORY = {
    "recipe": "digits-mlp",
    "weights": "deployed",
    "loss": [0.5, 0.1, 0.05],
    "validation_error": [10.0, 4.0, 5.0],
    "best_epoch": 2,
    "best_validation_error": 4.0,
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"validation_error": [0.0, 0.0, 0.0], "best_epoch": 1, "best_validation_error": 0.0},
        {"loss": [0.5], "validation_error": [3.0], "best_epoch": 1, "best_validation_error": 3.0},
    ],
)
def test_draws_a_small_png(tmp_path, change):
    path = tmp_path / "curves.png"
    curves.plot({**HISTORY, **change}, path)
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert 5_000 < len(data) < 100_000
    assert [p.name for p in tmp_path.iterdir()] == ["curves.png"]
