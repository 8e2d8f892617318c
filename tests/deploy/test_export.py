import errno
import re

import keras
import numpy as np
import pytest

import keras_bc
from keras_bc.deploy import export as steps
from keras_bc.deploy import flatbuffer, workspace
from keras_bc.deploy.interpreter import Interpreter
from keras_bc.errors import UserError
from tests.deploy.networks import random_network, samples_for


@pytest.fixture(scope="module")
def model():
    return random_network(0)


@pytest.fixture(scope="module")
def samples(model):
    return samples_for(model, 32)


def contents(folder) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_an_export_is_the_model_and_its_c_sources(model, samples, tmp_path):
    written = steps.export(model, samples, tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["kbc", "keras_bc.json", "model.c", "model.h", "model.tflite"]
    assert written.tflite_bytes == written.model.stat().st_size
    assert written.weight_bytes == sum(layer["weight_bytes"] for layer in written.layers)


def test_the_same_model_gives_the_same_bytes(model, samples, tmp_path):
    for folder in ("a", "b"):
        steps.export(model, samples, tmp_path / folder)
    for name in ("model.tflite", "model.c", "model.h"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_one_bit_weights_take_one_bit(tmp_path):
    model = keras.Sequential([keras.Input((1024,)), keras_bc.BinaryDense(64)])
    graph = steps.to_graph(model, np.random.default_rng(0).normal(size=(9, 1024)))
    weights = graph.tensors[graph.ops[0].inputs[1]].data
    assert weights.nbytes == 1024 * 64 // 8
    assert flatbuffer.read(flatbuffer.write(graph)).name == model.name


def test_a_full_disk_leaves_the_old_export_whole(model, samples, tmp_path, monkeypatch):
    out = tmp_path / "out"
    steps.export(model, samples, out)
    before = contents(out)

    def full(graph, folder, **options):
        (folder / "model.h").write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(steps.c_source, "emit", full)
    other = random_network(1)
    for folder in (out, tmp_path / "new"):
        with pytest.raises(UserError, match=r"Cannot write into .*: No space left on device"):
            steps.export(other, samples_for(other, 32), folder)
    assert contents(out) == before
    assert not (tmp_path / "new").exists()


def test_an_export_that_fails_leaves_the_old_one(model, samples, tmp_path):
    old = steps.export(model, samples, tmp_path / "out").model.read_bytes()
    with pytest.raises(UserError, match="empty"):
        steps.export(model, samples[:0], tmp_path / "out")
    assert (tmp_path / "out" / "model.tflite").read_bytes() == old
    with pytest.raises(UserError, match="empty"):
        steps.export(model, samples[:0], tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_c_sources_alone(model, samples, tmp_path):
    steps.export(model, samples, tmp_path / "all")
    written = steps.export(model, samples, tmp_path / "c", c_only=True)
    assert (written.model, written.tflite_bytes) == (None, None)
    everything, sources = contents(tmp_path / "all"), contents(tmp_path / "c")
    assert everything.keys() - sources.keys() == {"model.tflite"}
    for name in sources.keys() - {"keras_bc.json"}:
        assert sources[name] == everything[name]
    with pytest.raises(UserError, match=r"holds C sources alone.* without --c-only"):
        workspace.read_model(tmp_path / "c")


def test_nothing_of_an_earlier_export_is_left_to_mislead(model, samples, tmp_path):
    out = tmp_path / "out"
    steps.export(model, samples, out, namespace="old")
    for name in ("notes.txt", "kbc/mine.c"):
        (out / name).write_text("mine")
    steps.export(model, samples, out, c_only=True, namespace="new")
    files = contents(out)
    assert {name for name in files if "/" not in name} == {
        *("new.c", "new.h"),
        *("keras_bc.json", "notes.txt"),
    }
    assert files["notes.txt"] == files["kbc/mine.c"] == b"mine"


@pytest.mark.parametrize("namespace", ["Bad", "string"])
def test_a_bad_prefix_is_refused_before_the_model_is_looked_at(namespace, tmp_path):
    with pytest.raises(UserError, match=f"`{namespace}` cannot be"):
        steps.export(None, None, tmp_path / "out", namespace=namespace)
    assert not (tmp_path / "out").exists()


def test_a_model_of_float32_has_no_c_sources(model, tmp_path):
    written = steps.export(model, None, tmp_path / "out", activations="float32")
    assert not list((tmp_path / "out").rglob("*.c"))
    assert "inputs and outputs are int8" in written.no_sources
    x = samples_for(model, 5)
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(Interpreter(written.model).predict(x), expected, atol=1e-4)
    with pytest.raises(UserError, match="A model of float32 has no C sources"):
        steps.export(model, None, tmp_path / "c", activations="float32", c_only=True)
    assert not (tmp_path / "c").exists()


def test_layers_that_stay_in_floating_point_have_c_where_there_are_kernels(tmp_path):
    net = keras.Sequential([keras.Input((4,)), keras_bc.BinaryDense(3, name="last")])
    written = steps.export(net, samples_for(net, 32), tmp_path / "out", keep_float=["last"])
    assert written.no_sources is None
    assert "kbc_finish_f32" in (tmp_path / "out" / "model.c").read_text()
    soft = keras.Sequential([keras.Input((4,)), keras_bc.BinaryDense(3), keras.layers.Softmax()])
    name = soft.layers[-1].name
    written = steps.export(soft, samples_for(soft, 32), tmp_path / "soft", keep_float=[name])
    assert f"Layer `{name}` is a SOFTMAX of float32, which has no kernel" in written.no_sources
    assert not list((tmp_path / "soft").rglob("*.c"))
    with pytest.raises(UserError, match="SOFTMAX of float32"):
        steps.export(soft, samples_for(soft, 32), tmp_path / "c", keep_float=[name], c_only=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"activations": "int4"}, "cannot be 'int4'"),
        ({"activations": "float32", "keep_float": ["a"]}, "all layers stay in floating point"),
        ({"keep_float": ["nothing"]}, "No layer `nothing`"),
        ({"calibration": "best"}, "best"),
    ],
)
def test_options_that_make_no_sense(options, words, model):
    with pytest.raises(UserError, match=words):
        steps.check(model, **options)


def test_a_limit_for_the_arena(tmp_path):
    model = keras.Sequential([keras.Input((64,)), keras_bc.BinaryDense(128)])
    samples = samples_for(model, 32)

    def arena(**options):
        steps.export(model, samples, tmp_path / "out", **options)
        header = (tmp_path / "out" / "model.h").read_text()
        return int(re.search(r"MODEL_ARENA_BYTES (\d+)", header)[1])

    fastest = arena()
    assert arena(ram_limit=fastest - 1) < fastest
    before = contents(tmp_path / "out")
    with pytest.raises(UserError, match="bytes at the least, and 1 are allowed"):
        arena(ram_limit=1)
    assert contents(tmp_path / "out") == before
