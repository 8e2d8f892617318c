"""The command as a user meets it: in a process of its own where that matters, else by click."""

import json
import os
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from click.testing import CliRunner

import keras_bc
from keras_bc import datasets, recipes
from keras_bc.cli import main
from tests.needs import cross_compiler, qemu

COMMANDS = ["train", "evaluate", "summary", "export", "build", "emulate", "flash", "boards", "demo"]


def invoke(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def answer(*arguments) -> dict:
    """The JSON object that a command prints, and nothing beside it, on stdout."""
    result = invoke(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def complaint(*arguments) -> str:
    """The one line of a command that fails."""
    result = invoke(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A digits model of two epochs, and its export."""
    folder = tmp_path_factory.mktemp("cli")
    model = folder / "digits.keras"
    answer("train", "digits-mlp", "-o", model, "--epochs", 2, "--quiet")
    answer("export", model, "-o", folder / "out")
    return model, folder / "out"


def test_help_answers_at_once():
    start = time.monotonic()
    subprocess.run([sys.executable, "-m", "keras_bc.cli", "--help"], check=True, stdout=-3)
    assert time.monotonic() - start < 2


def test_tensorflow_is_quiet(trained):
    command = [sys.executable, "-m", "keras_bc.cli", "evaluate", trained[0], "--json"]
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert json.loads(ran.stdout)["samples"] > 0
    assert ran.stderr == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert "--json" in result.output


def test_evaluate_says_which_weights_it_used(trained):
    model, out = trained
    for weights in ("deployed", "real"):
        result = answer("evaluate", model, "--weights", weights)
        assert (result["weights"], result["samples"]) == (weights, 179)
    exported = answer("evaluate", out / "model.tflite")
    assert abs(exported["error"] - answer("evaluate", model)["error"]) < 3


def test_a_file_is_for_the_test_and_never_for_the_statistics(trained, tmp_path):
    model, _ = trained
    test = datasets.load("digits").test
    one = tmp_path / "one.npz"
    np.savez(one, x=test.x[:1], y=test.y[:1])
    every = tmp_path / "every.npz"
    np.savez(every, x=test.x, y=test.y)
    arguments = ("evaluate", model, "--weights", "real", "--dataset")
    assert answer(*arguments, every)["error"] == answer(*arguments, "digits")["error"]
    answer(*arguments, one)
    own = tmp_path / "own.keras"
    network = keras.saving.load_model(model)
    network.name = "own"
    network.save(own)
    assert "training examples" in complaint("evaluate", own, *arguments[2:], one)


def test_keys_of_summary_and_export(trained, tmp_path):
    model, _ = trained
    assert "layers" in answer("summary", model)
    result = answer("export", model, "-o", tmp_path / "out", "--calibrate", "digits")
    assert set(result) == {"tflite_bytes", "weight_bytes", "layers"}
    assert result["tflite_bytes"] == (tmp_path / "out" / "model.tflite").stat().st_size


def test_boards_are_listed():
    assert {row["board"] for row in answer("boards")["boards"]} >= {"microbit", "mps2-an386"}


def test_recipes_are_listed_with_their_errors():
    rows = {row["recipe"]: row for row in answer("train", "--list")["recipes"]}
    assert set(rows) == set(recipes.RECIPES)
    paper = rows["mnist-mlp"]
    assert (paper["weights"], paper["published"]) == ("deployed", "1.29 +- 0.08")
    ours = rows["digits-mlp"]
    assert ours["published"] is None
    assert 0 < ours["measured"] < 3 and ours["measured_epochs"] == ours["epochs"] == 40
    shown = invoke("train", "--list").stdout
    assert "1.29 +- 0.08" in shown and f"{ours['measured']:.2f}" in shown


@cross_compiler
def test_keys_of_build(trained):
    result = answer("build", trained[1], "--board", "microbit")
    assert set(result) == {"flash_bytes", "code_bytes", "model_bytes", "ram_bytes"}
    assert result["flash_bytes"] == result["code_bytes"] + result["model_bytes"]


@qemu
@cross_compiler
def test_keys_of_emulate(trained):
    out = trained[1]
    arguments = ["--board", "mps2-an386", "--samples", 20]
    result = answer("emulate", out, *arguments, "--profile")
    assert (result["board"], result["samples"], result["mismatches"]) == ("mps2-an386", 20, 0)
    assert [layer["op"] for layer in result["layers"]] == ["KbcFullyConnected"] * 3
    # What is left over is the way out of the model.
    assert 0 <= result["instructions"] - sum(la["instructions"] for la in result["layers"]) < 100
    plain = answer("emulate", out, *arguments)
    assert plain["instructions"] is None
    assert plain["error"] == result["error"]


@cross_compiler
def test_a_dry_run_of_flash_shows_the_commands(trained):
    arguments = ("--board", "mps2-an386", "--gdb", "localhost:1", "--dry-run")
    result = answer("flash", trained[1], *arguments)
    assert result["dry_run"]
    assert "load" in " ".join(result["commands"])


class TestWrongInput:
    """Each gets one line that says what to do, and exit code 1."""

    @pytest.mark.parametrize("command", ["evaluate", "summary"])
    def test_a_missing_model(self, command, tmp_path):
        assert "There is no file" in complaint(command, tmp_path / "none.keras")

    def test_a_missing_tflite(self, tmp_path):
        assert "There is no model file" in complaint("evaluate", tmp_path / "none.tflite")

    @pytest.mark.parametrize("share", [0, 0.3, 0.99])
    def test_a_truncated_keras_file(self, share, trained, tmp_path):
        data = trained[0].read_bytes()
        (tmp_path / "cut.keras").write_bytes(data[: int(share * len(data))])
        assert "is damaged" in complaint("evaluate", tmp_path / "cut.keras")
        assert "is damaged" in complaint("export", tmp_path / "cut.keras", "-o", tmp_path / "out")
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("share", [0, 0.3, 0.99])
    def test_a_truncated_tflite(self, share, trained, tmp_path):
        data = (trained[1] / "model.tflite").read_bytes()
        (tmp_path / "cut.tflite").write_bytes(data[: int(share * len(data))])
        assert "Export the model again" in complaint("evaluate", tmp_path / "cut.tflite")

    def test_an_unsupported_layer(self, tmp_path):
        stack = [keras.Input((4,)), keras.layers.LayerNormalization(name="norm")]
        keras.Sequential(stack).save(tmp_path / "m.keras")
        np.savez(tmp_path / "d.npz", x=np.ones((9, 4), np.float32), y=np.zeros(9, np.int64))
        line = complaint(
            *("export", tmp_path / "m.keras", "-o", tmp_path / "out"),
            *("--calibrate", tmp_path / "d.npz"),
        )
        assert "`norm` of type LayerNormalization cannot be exported. Supported: " in line

    def test_nan_weights(self, tmp_path):
        layer = keras_bc.BinaryDense(2, name="broken")
        model = keras.Sequential([keras.Input((4,)), layer])
        layer.kernel.assign(np.full((4, 2), np.nan))
        model.save(tmp_path / "m.keras")
        np.savez(tmp_path / "d.npz", x=np.ones((9, 4), np.float32), y=np.zeros(9, np.int64))
        line = complaint(
            *("export", tmp_path / "m.keras", "-o", tmp_path / "out"),
            *("--calibrate", tmp_path / "d.npz"),
        )
        assert "`broken` has weights that are not finite" in line

    def test_data_of_another_shape(self, trained, tmp_path):
        model, out = trained
        np.savez(tmp_path / "d.npz", x=np.ones((9, 7), np.float32), y=np.zeros(9, np.int64))
        for arguments in (
            ("evaluate", model, "--dataset"),
            ("evaluate", out, "--dataset"),
            ("export", model, "-o", tmp_path / "out", "--calibrate"),
        ):
            assert "shape" in complaint(*arguments, tmp_path / "d.npz")

    def test_an_empty_calibration_set(self, trained, tmp_path):
        np.savez(tmp_path / "d.npz", x=np.ones((0, 64), np.float32), y=np.zeros(0, np.int64))
        arguments = ("-o", tmp_path / "out", "--calibrate", tmp_path / "d.npz")
        assert "holds no examples" in complaint("export", trained[0], *arguments)

    def test_a_model_of_no_recipe_needs_a_data_set(self, tmp_path):
        keras.Sequential([keras.Input((4,)), keras_bc.BinaryDense(2)], name="mine").save(
            tmp_path / "m.keras"
        )
        assert "'mine' is of no recipe" in complaint("evaluate", tmp_path / "m.keras")

    def test_an_unknown_board(self, trained):
        for command in ("build", "emulate", "flash"):
            line = complaint(command, trained[1], "--board", "nope")
            assert "Unknown board 'nope'. There are m0-bench, microbit" in line

    def test_an_unknown_recipe(self):
        assert "There is no recipe 'nope'" in complaint("train", "nope")

    def test_no_compiler(self, trained, monkeypatch):
        monkeypatch.setenv("PATH", "")
        assert "gcc-arm-none-eabi" in complaint("build", trained[1], "--board", "microbit")

    @cross_compiler
    def test_no_qemu(self, trained, monkeypatch, tmp_path):
        import shutil

        for name in ("gcc", "objcopy", "size"):
            (tmp_path / f"arm-none-eabi-{name}").symlink_to(shutil.which(f"arm-none-eabi-{name}"))
        monkeypatch.setenv("PATH", str(tmp_path))
        line = complaint("emulate", trained[1], "--board", "microbit")
        assert "apt install qemu-system-arm" in line

    def test_no_data_set_and_no_network(self, tmp_path, monkeypatch):
        # No network: whatever would be asked is answered by nobody.
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "empty"))
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        result = subprocess.run(
            [sys.executable, "-m", "keras_bc.cli", "train", "mnist-mlp-small"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert result.returncode == 1
        assert "TFDS_DATA_DIR" in result.stderr.splitlines()[-1]
        assert "Traceback" not in result.stderr
        assert not list(tmp_path.glob("*.keras"))

    def test_somebody_elses_folder(self, trained, tmp_path):
        (tmp_path / "thesis.txt").write_text("mine")
        line = complaint("export", trained[0], "-o", tmp_path)
        assert "holds files that keras-bc did not write" in line
        assert (tmp_path / "thesis.txt").read_text() == "mine"

    @cross_compiler
    def test_a_model_that_does_not_fit_the_board(self, tmp_path):
        model = keras.Sequential([keras.Input((4096,)), keras_bc.BinaryDense(1024)], name="big")
        model.save(tmp_path / "m.keras")
        np.savez(tmp_path / "d.npz", x=np.ones((2, 4096), np.float32), y=np.zeros(2, np.int64))
        calibration = ("--calibrate", tmp_path / "d.npz")
        answer("export", tmp_path / "m.keras", "-o", tmp_path / "out", *calibration)
        line = complaint("build", tmp_path / "out", "--board", "microbit")
        assert "does not fit microbit" in line
        assert "bytes of flash" in line
        assert "bytes of RAM" in line
        assert not (tmp_path / "out" / "build" / "microbit").exists()
