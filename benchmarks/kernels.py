"""Count the instructions, on AVR the cycles, of every kernel variant on emulated cores.

    python benchmarks/kernels.py
    python benchmarks/kernels.py --core M4 --match 'x 256'

One image a variant, size and core; QEMU counts exactly, and the same from run to run. Each output
is compared with the NumPy reference first. Loads are registers that are loaded from memory, a
vector's being one; nobody counts AVR's. Code is the kernel's own, without the compiler's helpers
that it calls (64-bit multiplication on M0, say). Instructions are not cycles.
"""

import json
import tempfile
from pathlib import Path

import click
import numpy as np
from kernel_cases import CASES
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from keras_bc import files
from keras_bc.deploy import (
    boards,
    emulator,
    firmware,
    flatbuffer,
    kernels,
    reference,
    targets,
    toolchain,
)
from keras_bc.deploy.boards import Board
from keras_bc.deploy.call import Call
from keras_bc.deploy.choices import runnable
from keras_bc.deploy.graph import Graph
from keras_bc.deploy.layer import Layer
from keras_bc.deploy.lowering import lower
from keras_bc.errors import UserError

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "kernels.json"
WIDTH = 240  # characters of a printed line
BOARDS = {
    "M0": "m0-bench",
    "M3": "mps2-an385",
    "M4": "mps2-an386",
    "M55": "mps3-an547",
    "RV32": "rv32-bench",
    "RV32 Zbb": "rv32-zbb-bench",
    "AVR cycles": "arduino-mega",
}


def cores() -> dict[str, Board]:
    """M0 code runs on the M3's board: the micro:bit has too little memory for the large sizes."""
    return {core: boards.find(name) for core, name in BOARDS.items()}


def measured_layer(graph: Graph) -> Call:
    """The call that a case is about: not what packs its input, nor what unpacks its output."""
    (call,) = (call for call in lower(graph) if call.macs)
    return call


def measure(graph: Graph, layer: Layer, board: Board) -> dict[str, int]:
    """Build, run, compare and count one variant of one case on one core.

    Returns:
        "instructions", "code_bytes" and, but for AVR, "loads".

    Raises:
        AssertionError: The output differs from the reference's.
    """
    shape = graph.tensors[graph.inputs[0]].shape
    x = np.random.default_rng(0).integers(-128, 128, shape, np.int8)
    with tempfile.TemporaryDirectory(prefix="keras_bc-") as temporary:
        folder = Path(temporary)
        model = folder / "model.tflite"
        model.write_bytes(flatbuffer.write(graph))
        variants = {layer.call.kernel: layer.variant}
        built = firmware.build(model, board, folder / "build", variants)
        run = emulator.run(built, board, x, profile=True)
        code_bytes = _code_bytes(folder, layer.kernel, board)
    correct = reference.run(graph, x)[graph.outputs[0]]
    if not np.array_equal(run.outputs.ravel(), correct.ravel()):
        raise AssertionError(f"{layer.kernel.function} on {board.cpu} differs from the reference.")
    kernels_of_steps = [step.layers[0].kernel for step in built.steps]
    assert kernels_of_steps.count(layer.kernel) == 1
    number = kernels_of_steps.index(layer.kernel)
    loads = {"loads": run.layer_loads[number]} if run.layer_loads else {}
    return {"instructions": run.layer_instructions[number], **loads, "code_bytes": code_bytes}


def _code_bytes(folder: Path, variant: kernels.Variant, board: Board) -> int:
    source = kernels.SOURCES / f"{variant.function.removeprefix('kbc_')}.c"
    kernel = folder / "kernel.o"
    target = targets.of(board.cpu)
    options = [*board.flags, *toolchain.COMPILE, *target.library_options, f"-I{kernels.INCLUDE}"]
    toolchain.tool("gcc", *options, "-c", source, "-o", kernel, target=target)
    sizes = toolchain.tool("size", kernel, target=target)
    return int(sizes.splitlines()[1].split()[0])


def _version(target: targets.Target) -> str:
    return toolchain.tool("gcc", "--version", target=target).splitlines()[0]


def _layers(call: Call, board: Board) -> list[Layer]:
    """The call in every variant that a board can run; AVR lacks some kernels whole."""
    try:
        return runnable(call, board.cpu)
    except UserError:
        return []


def _measure_if_it_fits(graph: Graph, layer: Layer, board: Board) -> dict[str, int] | None:
    """`measure`, or None where it is too much for an AVR: all others have boards large enough."""
    try:
        return measure(graph, layer, board)
    except UserError:
        if targets.of(board.cpu).flash_apart:
            return None
        raise


def run(names: list[str], chosen: dict[str, Board]) -> list[dict]:
    """The rows of the table: every variant of the named cases on the chosen cores."""
    calls = {name: measured_layer(CASES[name]) for name in names}
    jobs = [
        (name, layer, core)
        for name, call in calls.items()
        for core, board in chosen.items()
        for layer in _layers(call, board)
    ]
    rows = []
    for name, layer, core in track(jobs, "Counting", console=Console(stderr=True)):
        measured = _measure_if_it_fits(CASES[name], layer, chosen[core])
        if measured is None:
            continue
        rows.append(
            {
                "kernel": layer.call.kernel,
                "size": name,
                "variant": layer.variant,
                "core": core,
                "macs": layer.macs,
                **measured,
                "scratch_bytes": layer.scratch_bytes,
            }
        )
    return rows


def table(rows: list[dict], chosen: dict[str, Board]) -> Table:
    """One line for each case and variant, the cores that run it side by side."""
    columns = "kernel", "size", "variant"
    result = Table(title=f"Instructions per MAC, or cycles: {', '.join(chosen)}", box=box.SIMPLE)
    for column in (*columns, *chosen, "loads per MAC", "code bytes", "scratch bytes"):
        right = column not in columns
        result.add_column(column, justify="right" if right else "left", no_wrap=True)
    lines = {}
    for row in rows:
        lines.setdefault(tuple(row[key] for key in columns), {})[row["core"]] = row
    for line, on in lines.items():
        result.add_row(
            *line,
            *(_per_mac(on[core], "instructions") if core in on else "" for core in chosen),
            " / ".join(_per_mac(row, "loads") for row in on.values() if "loads" in row),
            " / ".join(str(row["code_bytes"]) for row in on.values()),
            str(next(iter(on.values()))["scratch_bytes"]),
        )
    return result


def _per_mac(row: dict, key: str) -> str:
    return f"{row[key] / row['macs']:.2f}"


@click.command(help=__doc__.splitlines()[0])
@click.option("--core", type=click.Choice([*BOARDS]), help="Only this one.")
@click.option("--match", default="", help="Only sizes that contain this text.")
@click.option("--kernel", help="Only this one, such as conv_2d_b1.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the figures; benchmarks/results/kernels.json where nothing is left out.",
)
def main(core, match, kernel, output):
    chosen = {name: board for name, board in cores().items() if core in (None, name)}
    names = [name for name in CASES if match in name]
    names = [name for name in names if kernel in (None, measured_layer(CASES[name]).kernel)]
    if not names:
        raise click.UsageError(f"No such size of such a kernel. There are {'; '.join(CASES)}.")
    rows = run(names, chosen)
    Console(width=WIDTH).print(table(rows, chosen))
    output = output or (None if core or match or kernel else RESULTS)
    if output:
        families = {board.cpu: targets.of(board.cpu) for board in chosen.values()}
        compilers = sorted({_version(family) for family in families.values()})
        _write(output, {"compilers": compilers, "options": toolchain.COMPILE, "rows": rows})


def _write(output: Path, result: dict) -> None:
    """One row a line, which a diff shows well."""
    *head, _ = json.dumps({**result, "rows": []}, indent=1).splitlines()
    rows = ",\n".join(f"  {json.dumps(row)}" for row in result["rows"])
    files.write_text(output, "\n".join(head).removesuffix("[]") + f"[\n{rows}\n ]\n}}\n")


if __name__ == "__main__":
    main()
