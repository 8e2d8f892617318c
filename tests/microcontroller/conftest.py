"""The C kernels, compiled for the host under the sanitizers, as a function of NumPy arrays."""

import math
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from keras_bc.deploy import kernels
from tests.deploy.c_build import SANITIZERS, Machine, compile_c, kernels_object


@dataclass
class Case:
    """One call of one kernel: see driver.c."""

    op: str
    variant: str
    params: list[int]
    x: np.ndarray
    y_shape: tuple[int, ...]
    weights: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int8))
    channels: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.int32))
    shortcut: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int8))
    y_dtype: type = np.int8

    @property
    def y_bytes(self) -> int:
        return math.prod(self.y_shape) * np.dtype(self.y_dtype).itemsize

    def to_bytes(self) -> bytes:
        floats = self.channels.dtype == np.float32
        names = self.op.encode().ljust(32, b"\0") + self.variant.encode().ljust(32, b"\0")
        blocks = [
            self.weights.tobytes(),
            self.channels.astype(np.float32 if floats else np.int32).tobytes(),
            self.x.tobytes(),
            self.shortcut.tobytes(),
        ]
        sizes = [*map(len, blocks), self.y_bytes]
        header = np.array([*sizes, len(self.params), *self.params], np.int32).tobytes()
        return b"".join([names, header, *blocks])


@pytest.fixture(scope="session")
def driver(tmp_path_factory) -> Path:
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    program = tmp_path_factory.mktemp("driver") / "driver"
    sources = [kernels_object(Machine()), Path(__file__).with_name("driver.c")]
    compile_c(*SANITIZERS, f"-I{kernels.SOURCES}", "-o", program, *sources)
    return program


@pytest.fixture(scope="session")
def run(driver) -> Callable[[list[Case]], list[np.ndarray]]:
    """Runs cases, and gives the output of each."""

    def run(cases: list[Case]) -> list[np.ndarray]:
        text = b"".join(case.to_bytes() for case in cases)
        result = subprocess.run([driver], input=text, capture_output=True)
        assert result.returncode == 0, result.stderr.decode()
        flat = np.frombuffer(result.stdout, np.int8)
        ends = np.cumsum([case.y_bytes for case in cases])
        assert len(flat) == ends[-1]
        pieces = np.split(flat, ends[:-1])
        return [
            piece.view(c.y_dtype).reshape(c.y_shape) for piece, c in zip(pieces, cases, strict=True)
        ]

    return run


@pytest.fixture(scope="session")
def make_case() -> type[Case]:
    return Case


@pytest.fixture(scope="session")
def requantize() -> Callable[..., np.ndarray]:
    """kbc.h's equation in exact rational numbers: acc [..., out], channels [out, 3] -> int8.

    With `twice`, the product by the multiplier's 31 bits is rounded to an integer before the rest
    of the shift, as the builtins do.
    """

    def half_up(value: Fraction) -> int:
        return math.floor(value + Fraction(1, 2))

    def one(acc: int, channel: list[int], output: list[int], twice: bool) -> int:
        bias, multiplier, shift = channel
        zero_point, low, high = output
        exact = Fraction((acc + bias) * multiplier, 2**shift)
        if twice and shift > 31:
            exact = Fraction(half_up(exact * 2 ** (shift - 31)), 2 ** (shift - 31))
        return min(max(zero_point + half_up(exact), low), high)

    def requantize(acc, channels, output: list[int], twice: bool = False) -> np.ndarray:
        values = [
            [
                one(a, channel, output, twice)
                for a, channel in zip(row, channels.tolist(), strict=True)
            ]
            for row in acc.reshape(-1, len(channels)).tolist()
        ]
        return np.array(values, np.int8).reshape(acc.shape)

    return requantize
