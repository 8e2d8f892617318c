"""Fit what each kind of a kernel's work costs (deploy/costs.json) to counted instructions.

    python benchmarks/kernels.py && python benchmarks/fit_costs.py

Least squares of the relative errors, without negative costs. It prints how far the estimates are
from the counts, and in how many cases they name the variant that takes the fewest.
"""

import json
from collections import defaultdict
from pathlib import Path

import click
import numpy as np
from kernel_cases import CASES
from kernels import measured_layer

from keras_bc import files
from keras_bc.deploy import costs

RESULTS = Path(__file__).resolve().parent / "results" / "kernels.json"


def work_of(row: dict) -> tuple[str, tuple[float, ...]] | None:
    """The function of a counted row, and how often it does each kind of its work."""
    suffix = "" if row["variant"] == "reference" else f"_{row['variant']}"
    function = f"kbc_{row['kernel']}{suffix}"
    if function not in costs.WORK:
        return None
    return function, costs.WORK[function](measured_layer(CASES[row["size"]]).params)


def fit(work: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Costs [kinds] >= 0 that make work [cases, kinds] @ costs near the counts [cases]."""
    relative = work / counts[:, None]
    used = relative.any(axis=0)
    while True:
        found = np.zeros(work.shape[1])
        found[used] = np.linalg.lstsq(relative[:, used], np.ones(len(counts)), rcond=None)[0]
        if (found >= 0).all():
            return found
        used &= found > 0


@click.command(help=__doc__.splitlines()[0])
def main():
    groups = defaultdict(lambda: ([], []))
    for row in json.loads(RESULTS.read_text())["rows"]:
        if (found := work_of(row)) is not None:
            function, work = found
            each_work, counts = groups[row["core"], function]
            each_work.append(work)
            counts.append(row["instructions"])
    table = defaultdict(dict)
    for (core, function), (work, counts) in groups.items():
        work, counts = np.array(work, float), np.array(counts, float)
        found = fit(work, counts)
        worst = np.abs(work @ found / counts - 1).max()
        click.echo(f"{core:4} {function:40} {len(counts):3} cases, at most {100 * worst:.0f} % off")
        table[core][function] = [round(cost, 4) for cost in found]
    files.write_text(costs.COSTS, json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
