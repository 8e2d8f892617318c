"""One training on several devices: processes of their own, as engines set devices up but once."""

import contextlib
import json
import os
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_bc import distribution
from keras_bc.errors import UserError
from tests.keras_bc import devices_script
from tests.keras_bc.running_backend import BACKEND, tensorflow_only

jax_only = pytest.mark.skipif(BACKEND != "jax", reason="is about JAX")

SCRIPT = [sys.executable, "-m", "tests.keras_bc.devices_script"]
TIMEOUT = 300
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


def _run(commands, environments):
    """Run processes side by side to their end; return what they print on stdout."""
    with contextlib.ExitStack() as stack:
        processes = []
        for command, environment in zip(commands, environments, strict=True):
            process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.kill)  # of no effect once it has ended
            processes.append(process)
        outputs = [process.communicate(timeout=TIMEOUT) for process in processes]
    for process, (_, errors) in zip(processes, outputs, strict=True):
        assert process.returncode == 0, errors[-3000:]
    return [output for output, _ in outputs]


def _two_machines():
    """The environments of two workers on this machine, on ports that are free."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        workers = ["{}:{}".format(*each.getsockname()) for each in sockets]
    return [
        {
            "TF_CONFIG": json.dumps(
                {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            )
        }
        for index in range(2)
    ]


@pytest.fixture(scope="module")
def one():
    """What one device makes of all examples that two share."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("X", "Y"):
            patch.setattr(devices_script, name, getattr(devices_script, name)[:52])
        return devices_script.results()


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory):
    path = tmp_path_factory.mktemp("mirrored") / "found.npz"
    _run([[*SCRIPT, str(path), "mirrored"]], [{}])
    return dict(np.load(path))


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    paths = [folder / f"{index}.npz" for index in range(2)]
    _run([[*SCRIPT, str(path)] for path in paths], _two_machines())
    return [dict(np.load(path)) for path in paths]


def _of(found, network):
    return {key: value for key, value in found.items() if key.startswith(f"{network}/")}


@tensorflow_only
@pytest.mark.parametrize("network", devices_script.NETWORKS)
def test_two_replicas_have_the_same_weights_and_counters(mirrored, network):
    assert mirrored["replicas"] == 2
    keys = [key[:-1] for key in _of(mirrored, network) if key.endswith("/1")]
    assert keys
    for key in keys:
        np.testing.assert_array_equal(mirrored[f"{key}0"], mirrored[f"{key}1"], err_msg=key)
    counters = [key for key in keys if "draw_counter" in key]
    assert len(counters) == (3 if network == "stochastic" else 0)
    assert all(mirrored[f"{key}0"] == devices_script.STEPS for key in counters)


@tensorflow_only
@pytest.mark.parametrize("network", ["deterministic", "normalized"])
def test_two_replicas_are_one_with_the_double_batch(one, mirrored, network):
    for key, value in _of(one, network).items():
        np.testing.assert_allclose(mirrored[key], value, **TOLERANCE, err_msg=key)
    kernel = one[f"{network}/binary/kernel/0"]
    assert np.abs(kernel).max() <= 1 and (network != "deterministic" or np.abs(kernel).max() == 1)


@tensorflow_only
def test_two_replicas_draw_differently(mirrored):
    first, second = mirrored["draws/0"], mirrored["draws/1"]
    assert set(np.unique(first)) | set(np.unique(second)) == {-1, 1}
    assert 0.2 < (first != second).mean() < 0.7


@tensorflow_only
@pytest.mark.parametrize("network", ["deterministic", "normalized"])
def test_two_workers_are_one_with_the_double_batch(one, workers, network):
    for key, value in _of(one, network).items():
        for found in workers:
            np.testing.assert_allclose(found[key], value, **TOLERANCE, err_msg=key)


@tensorflow_only
def test_two_workers_have_the_same_weights_and_draw_differently(workers, mirrored):
    first, second = workers
    assert first["replicas"] == 2
    assert first.keys() == second.keys()
    for key, value in first.items():
        if not key.startswith("draws"):
            np.testing.assert_array_equal(value, second[key], err_msg=key)
            # Two machines are two replicas: the same draws, so the same network.
            np.testing.assert_allclose(value, mirrored[key], **TOLERANCE, err_msg=key)
    assert (first["draws/0"] != second["draws/0"]).mean() > 0.2


@jax_only
def test_two_devices_of_jax_are_one(one, tmp_path):
    path = tmp_path / "found.npz"
    _run([[*SCRIPT, str(path)]], [{"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}])
    found = np.load(path)
    assert found["replicas"] == 2 and set(found) == set(one)
    for network in devices_script.NETWORKS:
        for key, value in _of(one, network).items():
            np.testing.assert_allclose(found[key], value, **TOLERANCE, err_msg=key)
    np.testing.assert_array_equal(found["draws/0"], one["draws/0"])


def _train(folder, epochs=2):
    command = [sys.executable, "-m", "keras_bc.cli", "train", "digits-mlp", "--json"]
    command += ["--dataset", str(folder / "mine.npz"), "--epochs", str(epochs)]
    return [*command, "-o", str(folder / "model.keras")]


def _data(folder):
    folder.mkdir()
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (200, 64)).astype("float32")
    np.savez(folder / "mine.npz", x=x, y=(x[:, :8].sum(1) > 0).astype(int))
    return folder


@pytest.mark.slow
def test_the_command_trains_on_two(tmp_path):
    """The same recipe by the same command: on one device, and on two machines or devices."""
    alone, together = _data(tmp_path / "alone"), _data(tmp_path / "together")
    _run([_train(alone)], [{}])
    if BACKEND == "tensorflow":
        first, second = _run([_train(together)] * 2, _two_machines())
        assert json.loads(first) == json.loads(second)
    else:
        _run([_train(together)], [{"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}])
    files = ["mine.npz", "model.history.json", "model.keras", "model.png"]
    assert sorted(path.name for path in together.iterdir()) == files
    histories = [json.loads((f / "model.history.json").read_text()) for f in (alone, together)]
    for key in ("loss", "validation_error"):
        np.testing.assert_allclose(histories[1][key], histories[0][key], rtol=1e-3)
    models = [keras.saving.load_model(f / "model.keras") for f in (alone, together)]
    for a, b in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_one_device_is_left_alone():
    devices = distribution.find_devices(7)
    assert devices == distribution.Devices() and devices.is_chief
    devices.meet()


def test_as_many_devices_as_share_a_batch():
    assert distribution._sharing(list("abcd"), 100) == list("abcd")
    assert distribution._sharing(list("abcdefg"), 100) == list("abcde")
    assert distribution._sharing(list("abc"), 7) == ["a"]
    assert distribution._sharing([], 7) == []


def test_refuses_a_batch_that_cannot_be_shared(monkeypatch):
    monkeypatch.setattr(
        distribution, f"_{BACKEND}_devices", lambda batch_size: distribution.Devices(2)
    )
    with pytest.raises(UserError, match="2 devices cannot share a batch of 25"):
        distribution.find_devices(25)


@tensorflow_only
@pytest.mark.parametrize("config", ["{", "[]", '{"cluster": 3}', '{"cluster": {"worker": 3}}'])
def test_refuses_a_cluster_that_is_none(monkeypatch, config):
    monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(UserError, match="TF_CONFIG"):
        distribution.find_devices(10)


@tensorflow_only
@pytest.mark.parametrize("config", ["", "{}", '{"cluster": {"worker": ["localhost:1"]}}'])
def test_a_cluster_of_one_is_one_device(monkeypatch, config):
    monkeypatch.setenv("TF_CONFIG", config)
    assert distribution.find_devices(10).engine is None
