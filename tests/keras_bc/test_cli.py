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
from keras_bc.deploy.calibrate import DEFAULT
from tests.needs import cross_compiler, qemu

COMMANDS = ["train", "evaluate", "summary", "export", "inspect", "build", "emulate", "flash"]
COMMANDS += ["boards", "demo"]


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


def test_of_the_file_that_a_model_was_trained_on_a_tenth_is_for_the_test(tmp_path):
    digits = datasets.load("digits").train
    own, other = tmp_path / "own.npz", tmp_path / "other.npz"
    np.savez(own, x=digits.x[:200], y=digits.y[:200])
    np.savez(other, x=digits.x[200:230], y=digits.y[200:230])
    model = tmp_path / "model.keras"
    answer("train", "digits-mlp", "--epochs", "1", "--dataset", own, "-o", model)
    for weights in ("deployed", "real"):
        arguments = ("evaluate", model, "--weights", weights)
        assert answer(*arguments)["samples"] == 20
        assert answer(*arguments, "--dataset", own)["samples"] == 20
        assert answer(*arguments, "--dataset", other)["samples"] == 30


def test_another_backend_of_keras_is_refused():
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    command = [sys.executable, "-m", "keras_bc.cli", "train", "digits-mlp"]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: KERAS_BACKEND asks for torch")


def test_keys_of_summary_and_export(trained, tmp_path):
    model, _ = trained
    assert "layers" in answer("summary", model)
    result = answer("export", model, "-o", tmp_path / "out", "--calibrate", "digits")
    fixed, report = {"tflite_bytes", "weight_bytes", "layers"}, {"calibration", "accuracy", "noise"}
    report |= {"no_sources"}
    assert set(result) == fixed | report
    assert result["tflite_bytes"] == (tmp_path / "out" / "model.tflite").stat().st_size


def test_inspect_shows_the_ops_and_where_the_bytes_are(trained):
    result = answer("inspect", trained[1] / "model.tflite")
    assert set(result) == {"name", "file_bytes", "inputs", "outputs", "ops", "bytes"}
    assert [op["op"] for op in result["ops"]] == ["KbcFullyConnected"] * 3
    assert sum(result["bytes"].values()) == (trained[1] / "model.tflite").stat().st_size
    shown = invoke("inspect", trained[1]).stdout
    assert "binary_dense_1/weights" in shown and "weights=binary" in shown


def without_training(*arguments) -> subprocess.CompletedProcess:
    """A command in a process of its own, which fails where it imports what trains."""
    code = """if True:
        import sys
        from keras_bc.cli import main
        try:
            main(sys.argv[1:])
        finally:
            assert not sys.modules.keys() & {"tensorflow", "keras", "jax"}"""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_inspect_needs_nothing_that_trains(trained):
    assert without_training("inspect", trained[1], "--json").returncode == 0


def test_a_bad_prefix_is_refused_before_anything_is_loaded(tmp_path):
    arguments = ("export", tmp_path / "none.keras", "-o", tmp_path / "out", "--namespace", "My-Net")
    ran = without_training(*arguments)
    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: `My-Net` cannot be the prefix of C functions; expected")
    assert len(ran.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_an_export_reports_what_it_costs(trained, tmp_path):
    model, out = trained
    result = answer("export", model, "-o", out)
    measured = result["accuracy"]
    assert measured["samples"] == 179
    assert measured["float_error"] == answer("evaluate", model)["error"]
    assert measured["integer_error"] == answer("evaluate", out)["error"]
    assert [row["layer"] for row in result["noise"]] != []
    assert answer("export", model, "-o", out, "--samples", 20)["accuracy"]["samples"] == 20
    shown = invoke("export", model, "-o", out).stdout
    assert f"{measured['integer_error']:.2f} % of the export, on 179 samples" in shown
    assert "signal-to-noise" in shown


def test_an_export_measures_what_it_is_told_to(trained, tmp_path):
    model, out = trained
    test = datasets.load("digits").test
    np.savez(tmp_path / "d.npz", x=test.x[:30], y=test.y[:30])
    arguments = ("export", model, "-o", out, "--evaluate", tmp_path / "d.npz")
    assert answer(*arguments)["accuracy"]["samples"] == 30


def test_an_export_without_fitting_labels_reports_the_noise_alone(trained, tmp_path):
    model, _ = trained
    np.savez(tmp_path / "d.npz", x=datasets.load("digits").train.x[:50], y=np.full(50, 99))
    arguments = ("export", model, "-o", tmp_path / "out", "--calibrate", tmp_path / "d.npz")
    result = answer(*arguments)
    assert result["accuracy"] is None and result["noise"]
    assert "No test error is measured: The data set has the label 99" in invoke(*arguments).stdout
    (tmp_path / "out" / "model.tflite").unlink()
    assert "label 99" in complaint(*arguments, "--evaluate", tmp_path / "d.npz")
    assert not (tmp_path / "out" / "model.tflite").exists()


@pytest.fixture(scope="module")
def two_inputs(tmp_path_factory):
    """A model of two inputs, and a file of an array for each and labels."""
    folder = tmp_path_factory.mktemp("two")
    a, b = keras.Input((4, 4, 1), name="image"), keras.Input((3,), name="place")
    both = keras.layers.Concatenate()([keras.layers.Flatten()(a), b])
    model = keras.Model([a, b], keras_bc.BinaryDense(3)(both), name="both")
    model.save(folder / "both.keras")
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(60, *shape)).astype(np.float32) for shape in ((4, 4, 1), (3,))]
    labels = model.predict(x, verbose=0).argmax(axis=1)
    labels[::5] = (labels[::5] + 1) % 3
    np.savez(folder / "both.npz", image=x[0], place=x[1], y=labels)
    return folder


def test_a_model_of_several_inputs_goes_all_the_way(two_inputs):
    model, data, out = (two_inputs / name for name in ("both.keras", "both.npz", "out"))
    result = answer("export", model, "-o", out, "--calibrate", data)
    error = answer("evaluate", model, "--dataset", data)["error"]
    assert result["accuracy"]["float_error"] == error == 20
    found = answer("evaluate", out, "--dataset", data)
    assert found["error"] == result["accuracy"]["integer_error"] and found["samples"] == 60
    assert abs(found["error"] - error) < 10


@qemu
@cross_compiler
def test_options_of_the_c_sources(trained, tmp_path):
    out = tmp_path / "out"
    options = ("--namespace", "digits", "--const-in-flash")
    answer("export", trained[0], "-o", out, *options)
    assert "KBC_IN_FLASH" in (out / "digits.c").read_text()
    result = answer("emulate", out, "--board", "microbit", "--samples", 5)
    assert result["mismatches"] == 0
    assert (out / "build" / "microbit" / "digits.c").is_file()
    written = answer("export", trained[0], "-o", tmp_path / "c", "--c-only")
    assert written["tflite_bytes"] is None and written["weight_bytes"] > 0
    assert not list((tmp_path / "c").glob("*.tflite"))
    line = complaint("build", tmp_path / "c", "--board", "microbit")
    assert "without --c-only" in line


def test_a_model_of_several_inputs_is_emulated(two_inputs):
    data, out = two_inputs / "both.npz", two_inputs / "emulated"
    answer("export", two_inputs / "both.keras", "-o", out, "--calibrate", data)
    result = answer("emulate", out, "--board", "mps2-an386", "--dataset", data)
    assert (result["samples"], result["mismatches"]) == (60, 0)
    assert result["error"] == answer("evaluate", out, "--dataset", data)["error"]


def test_data_of_one_array_do_not_fit_several_inputs(two_inputs, tmp_path):
    np.savez(tmp_path / "d.npz", x=np.ones((9, 19), np.float32), y=np.zeros(9, np.int64))
    for data, words in (
        (tmp_path / "d.npz", "lacks the array image and place; it holds x, y"),
        ("digits", "inputs image, place. Give a .npz file"),
    ):
        for command, option in (("evaluate", "--dataset"), ("export", "--calibrate")):
            more = ("-o", tmp_path / "out") if command == "export" else ()
            assert words in complaint(command, two_inputs / "both.keras", *more, option, data)


def test_the_calibration_is_chosen_by_its_name(trained, tmp_path):
    files = set()
    for name in ("minmax", "mse", "percentile:99"):
        answer("export", trained[0], "-o", tmp_path / "out", "--calibration", name)
        files.add((tmp_path / "out" / "model.tflite").read_bytes())
    assert len(files) == 3
    answer("export", trained[0], "-o", tmp_path / "out")
    assert (tmp_path / "out" / "model.tflite").read_bytes() in files
    assert f"[default: {DEFAULT}]" in " ".join(invoke("export", "--help").stdout.split())


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

    def test_an_unknown_calibration(self, trained, tmp_path):
        arguments = ("-o", tmp_path / "out", "--calibration", "kl")
        assert "There is no calibration 'kl'" in complaint("export", trained[0], *arguments)
        assert not (tmp_path / "out").exists()

    def test_wide_activations(self, trained, tmp_path):
        arguments = ("-o", tmp_path / "out", "--activations", "int16")
        result = invoke("export", trained[0], *arguments)
        assert result.exit_code == 2
        assert "16-bit activations are not offered, and not needed" in result.stderr
        assert "Use int8" in result.stderr
        assert not (tmp_path / "out").exists()

    def test_an_unknown_board(self, trained):
        for command in ("build", "emulate", "flash"):
            line = complaint(command, trained[1], "--board", "nope")
            assert "Unknown board 'nope'. There are arduino-mega, arduino-uno" in line

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
