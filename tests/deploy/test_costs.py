"""The estimates of what kernels cost, against the counts that they were fitted to."""

import json
from itertools import groupby

import pytest

from keras_bc.deploy import boards, costs, kernels
from keras_bc.deploy.plan import plan
from tests.benchmarks.scripts import FOLDER, load
from tests.needs import board_parameters

KERNELS = load("kernels")
CASES = KERNELS.CASES
CORES = KERNELS.BOARDS
CPUS = {core: boards.find(name).cpu for core, name in CORES.items()}
ROWS = [
    row
    for row in json.loads((FOLDER / "results" / "kernels.json").read_text())["rows"]
    if row["core"] in CPUS and not row["kernel"].startswith("int8")
]


@pytest.mark.parametrize("core", CPUS)
def test_estimates_are_near_the_counts(core):
    found = [(row, estimate_of(row)) for row in ROWS if row["core"] == core]
    measured = [(row, estimate) for row, estimate in found if estimate is not None]
    assert len(measured) > 15
    for row, estimate in measured:
        assert estimate == pytest.approx(row["instructions"], rel=0.2), row


@board_parameters([boards.find(name) for name in CORES.values()], emulator=False)
def test_the_variant_with_the_fewest_instructions_is_taken(board):
    """One that is near the best will do: estimates are not exact."""
    (core,) = (core for core, name in CORES.items() if name == board.name)
    rows = sorted((row for row in ROWS if row["core"] == core), key=lambda row: row["size"])
    for size, group in groupby(rows, lambda row: row["size"]):
        counts = {row["variant"]: row["instructions"] for row in group}
        (taken,) = (layer.variant for layer in plan(CASES[size], board.cpu).layers if layer.macs)
        assert counts[taken] <= 1.11 * min(counts.values()), (size, counts, taken)


def test_every_cortex_has_a_core_that_was_measured():
    measured = json.loads(costs.COSTS.read_text()).keys()
    for board in boards.all():
        if board.cpu.startswith("cortex"):
            assert costs.CORES.get(board.cpu, "M4") in measured


@pytest.mark.parametrize("core", [core for core in CPUS if not core.startswith("AVR")])
def test_every_portable_fully_connected_variant_was_measured(core):
    functions = json.loads(costs.COSTS.read_text())[core]
    for row in kernels.table():
        if row.guard == "1" and row.op.startswith("fully_connected") and "f32" not in row.op:
            assert row.function in functions


def estimate_of(row):
    function = kernels.Variant(row["kernel"], row["variant"], "", "").function
    params = KERNELS.measured_layer(CASES[row["size"]]).params
    return costs.estimate(function, params, CPUS[row["core"]])
