import subprocess
from pathlib import Path

import numpy as np
import pytest
from flatbuffers import flexbuffers

from keras_bc.deploy.kernels import MICROCONTROLLER

OPS = MICROCONTROLLER / "ops"
FLAGS = ["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Reads "key" and "text" of each buffer with the ops' reader, under the sanitizers."""
    program = tmp_path_factory.mktemp("flexbuffers") / "driver"
    sources = [Path(__file__).with_name("flexbuffers_driver.c"), OPS / "flexbuffers.c"]
    command = ["gcc", *FLAGS, *SANITIZERS, f"-I{OPS}", "-o", program, *sources]
    subprocess.run(command, check=True)

    def read(buffers: list[bytes]) -> list[str]:
        text = b"".join(np.int32(len(data)).tobytes() + data for data in buffers)
        done = subprocess.run([program], input=text, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().splitlines()

    return read


def test_integers_of_every_width_are_read(read):
    powers = [2**power + step for power in range(63) for step in (-1, 0, 1)]
    values = [0, -(2**63), *powers, *(-value for value in powers)]
    maps = [{"key": value, "text": "binary", "other": 7} for value in values]
    lines = read([bytes(flexbuffers.Dumps(content)) for content in maps])
    assert lines == [f"{value} binary" for value in values]


def test_integers_that_lie_elsewhere_are_read(read):
    buffers = []
    for width in (-5, 200, 40_000, 2**40):
        builder = flexbuffers.Builder()
        with builder.Map():
            builder.Key("key")
            builder.IndirectInt(width)
        buffers.append(bytes(builder.Finish()))
    assert read(buffers) == ["-5 -", "200 -", "40000 -", f"{2**40} -"]


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"ke": 1, "keyy": 2, "texts": "binary"},
        {"key": "1", "text": 5},
        {"key": 1.5, "text": "binar"},
        {"key": None, "text": "binaryy"},
        {"key": [1], "text": ["binary"]},
        [1, 2],
        "binary",
        7,
    ],
)
def test_what_is_not_there_is_missing(read, content):
    assert read([bytes(flexbuffers.Dumps(content))]) == ["- -"]


def test_damaged_buffers_are_read_within_their_bytes(read):
    """The sanitizer stops at a read beyond the buffer."""
    rng = np.random.default_rng(0)
    others = {f"option_{number}": number for number in range(9)}
    whole = bytes(flexbuffers.Dumps({"key": 3, "text": "binary", **others}))
    buffers = [whole[:size] for size in range(1, len(whole))]
    buffers += [whole[size:] for size in range(1, len(whole))]
    for place in range(len(whole)):
        for value in range(256):
            buffers.append(whole[:place] + bytes([value]) + whole[place + 1 :])
    buffers += [rng.bytes(int(size)) for size in rng.integers(1, 40, 5000)]
    lines = read(buffers)
    assert len(lines) == len(buffers)
    assert lines.count("- -") > 5000
