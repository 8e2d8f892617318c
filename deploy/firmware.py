"""Build a model's firmware for a board: emitted C, kernels, start-up and the harness, linked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from keras_bc import files
from keras_bc.deploy import c_source, cmsis_nn, library, targets, toolchain, workspace
from keras_bc.deploy.boards import Board
from keras_bc.deploy.graph import Graph
from keras_bc.deploy.layer import Step
from keras_bc.deploy.plan import tensor_bytes

ELF = "firmware.elf"

HARNESS_RAM = 64
"""Bytes that the harness's own variables take at most; what is left is the arena's."""

APART_RAM, APART_LAYER_RAM = 288, 96
"""Where no pointer reaches the flash, the harness's words and layers' parameters are in RAM too."""


@dataclass(frozen=True)
class Firmware:
    """What was built, in bytes.

    Attributes:
        elf: Beside it lie the same as .bin and .map, the linker script .ld, and the model's C
            sources with the kernels that they call.
        flash_bytes: All that is loaded: code, model and the initial values of variables.
        code_bytes: `flash_bytes` without `model_bytes`: kernels, harness and start-up.
        model_bytes: The model's constants: weights, per-channel parameters and tables; where it
            was exported with --const-in-flash the layers' parameters too.
        ram_bytes: Arena, variables and the board's reserved stack.
        arena_bytes: Activations and scratch.
        input_bytes: Of one inference, all inputs together.
        output_bytes: Of one inference, all outputs together.
        steps: What it does, in order.
        step_bytes: The size of each step's output.
    """

    elf: Path
    flash_bytes: int
    code_bytes: int
    model_bytes: int
    ram_bytes: int
    arena_bytes: int
    input_bytes: int
    output_bytes: int
    steps: tuple[Step, ...]
    step_bytes: tuple[int, ...]


def build(
    model: str | Path,
    board: Board,
    out: str | Path,
    variants: Mapping[str, str] | None = None,
    ram_limit: int | None = None,
) -> Firmware:
    """Emit, compile and link.

    Args:
        model: A `.tflite` file, or the folder of an export.
        board: Its CPU chooses the kernels.
        out: The folder to write. An earlier build in it is replaced; it stays if this one fails.
        variants: The kernels' variants by op, instead of the best; see `plan.plan`.
        ram_limit: Bytes that the arena may take, where that is less than the board has.

    Raises:
        UserError: The model is missing or does not fit the board, there is no compiler, or `out`
            holds someone else's files or cannot be written.
    """
    graph = workspace.read_model(Path(model))
    options = workspace.source_options(Path(model)) | {"variants": variants}
    room = board.ram.size - board.stack - HARNESS_RAM
    if targets.of(board.cpu).flash_apart:
        room -= APART_RAM + APART_LAYER_RAM * len(graph.ops)
    options["ram_limit"] = min(room, ram_limit or room)
    out = Path(out)
    workspace.check_replaceable(out)
    with files.replacing_folder(out) as folder:
        firmware = _build(graph, board, folder, out / ELF, options)
        workspace.sign(folder, workspace.contents(folder))
    return firmware


def _build(graph: Graph, board: Board, folder: Path, moved_to: Path, options: dict) -> Firmware:
    plan = c_source.plan(graph, board.cpu, options["ram_limit"], options["variants"])
    _, source = c_source.emit(graph, folder, board.cpu, **options)
    _name_for_harness(source)
    kernels = [path for path in library.copy(plan, folder) if path.suffix == ".c"]
    elf = folder / ELF
    sources = [source, toolchain.FIRMWARE / "harness.c", *toolchain.STARTUP, *kernels]
    options = [f"-I{folder}", "-include", toolchain.FIRMWARE / "hooks.h"]
    with cmsis_nn.linked(plan.layers, board) as (flags, archives):
        linked = [*sources, *archives], board, elf, [*options, *flags]
        flash_bytes, ram_bytes = toolchain.link(*linked)
    family = targets.of(board.cpu)
    binary = ("objcopy", "-O", "binary", elf, elf.with_suffix(".bin"))
    toolchain.tool(*binary, target=family)
    sections = toolchain.tool("size", "-A", elf, target=family)
    model_bytes = int(re.search(r"^\.model\s+(\d+)", sections, re.MULTILINE)[1])
    return Firmware(
        elf=moved_to,
        flash_bytes=flash_bytes,
        code_bytes=flash_bytes - model_bytes,
        model_bytes=model_bytes,
        ram_bytes=ram_bytes,
        arena_bytes=plan.arena_bytes,
        input_bytes=_bytes(graph, graph.inputs),
        output_bytes=_bytes(graph, graph.outputs),
        steps=tuple(plan.steps),
        step_bytes=tuple(_bytes(graph, [step.output]) for step in plan.steps),
    )


def _name_for_harness(source: Path) -> None:
    """Write the model.h that the harness includes, where the model has another name."""
    name = source.stem
    header = source.with_name("model.h")
    if header.exists():
        return
    lines = ["/* The names by which the harness knows the model. */", f'#include "{name}.h"']
    lines += [
        f"#define MODEL_{constant} {name.upper()}_{constant}"
        for constant in ("ARENA_BYTES", "INPUTS", "OUTPUTS")
    ]
    lines.append(f"#define model_invoke {name}_invoke")
    header.write_text("\n".join(lines) + "\n")


def _bytes(graph: Graph, tensors: list[str]) -> int:
    return sum(tensor_bytes(graph.tensors[name]) for name in tensors)
