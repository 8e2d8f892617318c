from keras_bc.deploy import demo
from tests.needs import cross_compiler, qemu


@qemu
@cross_compiler
def test_without_mnist_the_demo_goes_on_with_the_digits(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.setattr("keras_bc.datasets.tfds._check_network", _unreachable)
    monkeypatch.chdir(tmp_path)
    result = demo.run(tmp_path / "demo", short=True)
    assert (result["recipe"], result["dataset"]) == ("digits-mlp", "digits")
    assert "Going on with digits-mlp" in capsys.readouterr().err
    keras, tflite, *boards = result["rows"]
    assert keras["samples"] == tflite["samples"] == 50
    assert [row["where"].removeprefix("firmware on ") for row in boards] == list(demo.BOARDS)
    for row in boards:
        assert row["differ"] == 0
        assert row["error_%"] == tflite["error_%"] < 30
        assert row["instructions"] > 0


def _unreachable(url):
    raise OSError("no network")
