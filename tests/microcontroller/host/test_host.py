"""Every op that multiplies takes the host's fast way, where this CPU has one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from keras_bc.deploy.boards import MICROCONTROLLER
from keras_bc.deploy.kernels import INCLUDE, SOURCES
from tests.deploy.c_build import SANITIZERS
from tests.microcontroller.host.test_layers import has

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    if not shutil.which("gcc"):
        pytest.skip("needs gcc (apt install gcc)")
    path = tmp_path_factory.mktemp("host") / "prepare"
    folders = (SOURCES, MICROCONTROLLER / "host", MICROCONTROLLER / "ops")
    sources = [source for folder in folders for source in folder.glob("*.c")]
    includes = [f"-I{INCLUDE}", f"-I{MICROCONTROLLER / 'host'}"]
    options = ("-std=gnu99", *SANITIZERS, *includes, "-pthread")
    subprocess.run(["gcc", *options, HERE / "prepare.c", *sources, "-o", path, "-lm"], check=True)
    return path


@pytest.mark.parametrize(
    ("kernels", "expected"),
    [
        ("plain", "0 0 0 0"),
        pytest.param(
            *("avx2", "1 1 1 1"), marks=pytest.mark.skipif(not has("avx2"), reason="needs AVX2")
        ),
    ],
)
def test_all_ops_are_fast_but_in_plain_c(kernels, expected, program):
    environment = {**os.environ, "KERAS_BC_KERNELS": kernels}
    said = subprocess.check_output([program], env=environment, text=True)
    assert said.strip() == expected
