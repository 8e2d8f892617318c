"""The benchmark runs, and its figures stay within what the project promises."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "kernels.py"

pytestmark = [needs.qemu, needs.cross_compiler]


def count(tmp_path, *options):
    """Instructions per MAC by variant."""
    output = tmp_path / "kernels.json"
    options = [*options, "--kernel", "fully_connected_s8", "--output", output]
    command = [sys.executable, SCRIPT, *options]
    subprocess.run(command, check=True, capture_output=True)
    return {row["variant"]: row for row in json.loads(output.read_text())["rows"]}


@pytest.mark.parametrize("size, most", [("784 x 256", 1.0), ("1024 x 1024", 0.75)])
def test_tables_take_few_instructions_on_m4(size, most, tmp_path):
    rows = count(tmp_path, "--core", "M4", "--match", size)
    tables, reference = rows["tables"], rows["reference"]
    assert tables["instructions"] <= most * tables["macs"]
    assert reference["instructions"] > 5 * tables["instructions"]


def test_small_layers_gain_too_even_on_m0(tmp_path):
    rows = count(tmp_path, "--core", "M0", "--match", "64 x 64")
    assert rows["tables"]["instructions"] < rows["reference"]["instructions"] / 3
