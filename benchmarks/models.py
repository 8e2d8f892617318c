"""Count the instructions of whole models on emulated cores, beside those of int8.

    python benchmarks/models.py
    python benchmarks/models.py --core M4 --topology CNN --layers

Our firmware, with the kernels that an export chooses, against TensorFlow Lite Micro with CMSIS-NN
and int8 weights on the same cores: the same topologies, -O2, one inference. QEMU counts exactly; a
count is of instructions, not of cycles. Each output is compared with the NumPy reference first.
"""

import json
import tempfile
from pathlib import Path

import click
import keras
import numpy as np
from matplotlib.figure import Figure
from rich import box
from rich.console import Console
from rich.table import Table
from topologies import KINDS, TOPOLOGIES, samples_for

from keras_bc import console, files
from keras_bc.deploy import boards, emulator, export, firmware, flatbuffer, reference
from keras_bc.deploy.interpreter import Interpreter
from keras_bc.quiet_import import import_tensorflow

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "models.json"
PICTURE = ROOT / "docs" / "instructions.png"

CORES = {"M0": "m0-bench", "M3": "mps2-an385", "M4": "mps2-an386", "M55": "mps3-an547"}

ARENA = {"CNN": 40 << 10}
ONE_BIT_ARENA = {"CNN": 12 << 10}
"""Bytes that the arena may take; int8's is 72 KB."""

INT8 = {
    "MLP": {"M0": 1_875_000, "M3": 1_154_000, "M4": 673_000, "M55": 171_000},
    "CNN": {"M0": 253_600_000, "M3": 107_100_000, "M4": 72_100_000, "M55": 9_530_000},
    "DS-CNN": {"M0": 28_980_000, "M3": 10_530_000, "M4": 7_690_000, "M55": 1_810_000},
}
"""Instructions of one inference by int8 TensorFlow Lite Micro with CMSIS-NN, measured alike."""


def measure(data: bytes, core: str, inputs: np.ndarray, ram_limit: int | None) -> dict:
    """Build, run, compare and count one model on one core.

    Raises:
        AssertionError: An output differs from the reference's.
    """
    graph, board = flatbuffer.read(data), boards.find(CORES[core])
    with tempfile.TemporaryDirectory(prefix="keras_bc-") as temporary:
        path = Path(temporary) / "model.tflite"
        path.write_bytes(data)
        built = firmware.build(path, board, path.parent / "build", ram_limit=ram_limit)
        run = emulator.run(built, board, inputs, profile=True)
    correct = reference.run(graph, inputs)[graph.outputs[0]].reshape(run.outputs.shape)
    if not np.array_equal(run.outputs, correct):
        raise AssertionError(f"{graph.name} on {core} differs from the reference.")
    counts = zip(built.steps, run.layer_instructions, strict=True)
    return {
        "macs": sum(step.macs for step in built.steps),
        "instructions": run.instructions,
        "arena_bytes": built.arena_bytes,
        "model_bytes": built.model_bytes,
        "code_bytes": built.code_bytes,
        "layers": [
            {
                "layer": step.name,
                "kernel": " + ".join(layer.call.kernel for layer in step.layers),
                "variant": step.variant,
                "macs": step.macs,
                "instructions": count,
            }
            for step, count in counts
        ],
    }


def run(cores: list[str], topologies: list[str]) -> list[dict]:
    """One row for each topology, kind and core."""
    rows = []
    jobs = [(name, kind) for name in topologies for kind in TOPOLOGIES[name][1]]
    with console.counting("Counting", len(jobs) * len(cores)) as done:
        for name, kind in jobs:
            keras.utils.clear_session()  # or the layers' names would go on counting
            model = TOPOLOGIES[name][0](kind)
            samples = samples_for(model)
            limits = ONE_BIT_ARENA if kind.endswith("one-bit activations") else ARENA
            data = flatbuffer.write(export.to_graph(model, samples))
            inputs = Interpreter(data).quantize(samples[:1])
            for core in cores:
                measured = measure(data, core, inputs, limits.get(name))
                rows.append({"topology": name, "kind": kind, "core": core, **measured})
                rows[-1]["int8_instructions"] = INT8[name][core]
                done(len(rows))
    return rows


def table(rows: list[dict]) -> Table:
    """One line for each row."""
    result = Table(title="Instructions of one inference", box=box.SIMPLE)
    for column in ("topology", "weights and activations", "core"):
        result.add_column(column, no_wrap=True)
    for column in ("instructions", "per MAC", "int8's / ours", "arena", "code"):
        result.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        result.add_row(
            *(row[key] for key in ("topology", "kind", "core")),
            f"{row['instructions']:,}",
            f"{row['instructions'] / row['macs']:.3f}",
            f"{row['int8_instructions'] / row['instructions']:.2f}",
            f"{row['arena_bytes']:,}",
            f"{row['code_bytes']:,}",
        )
    return result


def layer_table(rows: list[dict]) -> Table:
    """Where the instructions of each row go."""
    result = Table(title="By layer", box=box.SIMPLE)
    for column in ("model", "layer", "kernel", "variant", "instructions", "per MAC"):
        right = column in ("instructions", "per MAC")
        result.add_column(column, justify="right" if right else "left", no_wrap=True)
    for row in rows:
        for layer in row["layers"]:
            result.add_row(
                f"{row['topology']}, {row['kind']}, {row['core']}",
                *(layer[key] for key in ("layer", "kernel", "variant")),
                f"{layer['instructions']:,}",
                f"{layer['instructions'] / layer['macs']:.3f}" if layer["macs"] else "",
            )
    return result


def plot(rows: list[dict], path: Path) -> None:
    """Instructions per MAC by core: int8's, and ours with 8-bit and one-bit activations."""
    names = {KINDS[0]: "one-bit weights", KINDS[1]: "one-bit weights and activations"}
    figure = Figure(figsize=(11, 3.6), dpi=120, layout="constrained")
    axes = figure.subplots(1, len(INT8), sharey=True)
    for plot_axes, (topology, bars) in zip(axes, INT8.items(), strict=True):
        found = {(r["kind"], r["core"]): r for r in rows if r["topology"] == topology}
        macs = next(iter(found.values()))["macs"]
        groups = {"int8, TFLM and CMSIS-NN": {core: n / macs for core, n in bars.items()}}
        for kind, label in names.items():
            ours = {core: r["instructions"] / macs for (k, core), r in found.items() if k == kind}
            groups |= {label: ours} if ours else {}
        _draw_bars(plot_axes, groups)
        plot_axes.set_title(f"{topology}, {macs / 1e6:.3g}M MACs")
    axes[0].set_ylabel("instructions per MAC")
    axes[1].legend(loc="upper right", frameon=False, fontsize=8)
    with files.replacing(path) as partial:
        figure.savefig(partial, format="png")


def _draw_bars(axes, groups: dict[str, dict[str, float]]) -> None:
    width = 0.8 / len(groups)
    colors = ("0.65", "tab:blue", "tab:orange")
    for number, (label, values) in enumerate(groups.items()):
        places = np.arange(len(CORES)) + (number - (len(groups) - 1) / 2) * width
        heights = [values[core] for core in CORES]
        bars = axes.bar(places, heights, width, label=label, color=colors[number])
        axes.bar_label(bars, [f"{height:.2g}" for height in heights], fontsize=6)
    axes.set_xticks(range(len(CORES)), CORES)
    axes.set_xlabel("Cortex")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylim(0.04, 20)
    axes.spines[["top", "right"]].set_visible(False)


@click.command(help=__doc__.splitlines()[0])
@click.option("--core", type=click.Choice(list(CORES)), help="Only this one.")
@click.option("--topology", type=click.Choice(list(TOPOLOGIES)), help="Only this one.")
@click.option("--layers", is_flag=True, help="Show where the instructions go.")
def main(core, topology, layers):
    import_tensorflow()
    cores = [name for name in CORES if core in (None, name)]
    rows = run(cores, [name for name in TOPOLOGIES if topology in (None, name)])
    screen = Console(width=140)
    screen.print(table(rows))
    if layers:
        screen.print(layer_table(rows))
    if core is None and topology is None:
        files.write_text(RESULTS, json.dumps({"rows": rows}, indent=1) + "\n")
        plot(rows, PICTURE)


if __name__ == "__main__":
    main()
