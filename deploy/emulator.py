"""Run a firmware on an emulated board.

The harness in the firmware reads its inputs from one file and writes its outputs to another (see
microcontroller/firmware/harness.c), so that thousands of inferences cost one start of QEMU.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from keras_bc.deploy import disk, qemu
from keras_bc.deploy.boards import Board
from keras_bc.deploy.firmware import Firmware
from keras_bc.errors import UserError
from keras_bc.inputs import Inputs, as_list


@dataclass
class Run:
    """What a firmware did with its inputs.

    Attributes:
        outputs: int8 `[n, output bytes]`, the outputs one behind the other.
        stack_bytes: The peak of the stack, over all inferences and the harness.
        instructions: Of one inference, the longest; None where they were not counted. On AVR these
            are cycles.
        layer_instructions: The same inference's, by layer. What is left of `instructions` is the
            way out of the model.
        layer_loads: The registers that it loads from memory, by layer; not known on AVR.
        layers: The output of each layer, int8 `[n, bytes]`; empty where they were not traced.
    """

    outputs: np.ndarray
    stack_bytes: int
    instructions: int | None = None
    layer_instructions: list[int] = field(default_factory=list)
    layer_loads: list[int] = field(default_factory=list)
    layers: list[np.ndarray] = field(default_factory=list)


def run(
    firmware: Firmware,
    board: Board,
    inputs: Inputs,
    profile: bool = False,
    trace: bool = False,
    progress: Callable[[int], None] = lambda done: None,
    patience: float = 60.0,
) -> Run:
    """Feed `inputs` to a firmware, one inference each.

    Args:
        firmware: Built for `board`.
        board: One that QEMU emulates.
        inputs: int8 `[n, ...]`, or one such array for each input, together of
            `firmware.input_bytes` an inference.
        profile: Count the instructions, exactly. The emulator takes about twice as long.
        trace: Keep the output of every layer.
        progress: Called now and then with the number of inferences done.
        patience: Seconds that one inference may take.

    Raises:
        UserError: QEMU is missing or does not know the board, the firmware fails or hangs, or the
            disk is full.
        ValueError: The inputs are not the model's.
    """
    inputs = _checked(inputs, firmware)
    with disk.temporary_folder() as folder:
        outputs = folder / "outputs.bin"
        (folder / "inputs.bin").write_bytes(np.ascontiguousarray(inputs))

        def done() -> int:
            count = outputs.stat().st_size // firmware.output_bytes if outputs.exists() else 0
            progress(count)
            return count

        execution = qemu.execute(
            firmware.elf,
            board,
            ["inputs.bin", "outputs.bin", *(["layers.bin"] if trace else [])],
            folder=folder,
            count=profile,
            patience=patience,
            progress=done,
        )
        stack_bytes = _stack_bytes(execution.text, board)
        all_outputs = np.fromfile(outputs, np.int8).reshape(len(inputs), firmware.output_bytes)
        result = Run(all_outputs, stack_bytes)
        if profile:
            _add_counts(result, execution, firmware)
        if trace:
            _add_layers(result, np.fromfile(folder / "layers.bin", np.int8), firmware)
    return result


def _checked(inputs: Inputs, firmware: Firmware) -> np.ndarray:
    """int8 `[n, input bytes]`."""
    arrays = as_list(inputs)
    flat = [array.reshape(len(array), math.prod(array.shape[1:])) for array in arrays]
    rows = np.concatenate(flat, axis=1)
    if rows.dtype != np.int8 or rows.shape[1] != firmware.input_bytes:
        raise ValueError(
            "Invalid value for argument `inputs`. Expected int8 of shape "
            f"[n, {firmware.input_bytes}]. Received: "
            f"{', '.join(f'{array.dtype} of shape {array.shape}' for array in arrays)}."
        )
    return rows


def _stack_bytes(text: str, board: Board) -> int:
    said = re.search(r"stack_bytes (0x[0-9a-f]+)", text)
    if said is None:
        raise UserError(
            f"The firmware on {board.name} ended without its last word. Is the disk full, or "
            "`emulator` of the board.toml no machine?"
        )
    used = int(said[1], 16)
    if used >= board.stack:
        raise UserError(
            f"The stack overflows on {board.name}: all {board.stack} bytes of it were used. "
            "Give it more by the key `stack` of the board.toml."
        )
    return used


def _add_counts(result: Run, execution: qemu.Execution, firmware: Firmware) -> None:
    """The stopwatch stops after each layer, and once more after the model."""
    if len(result.outputs) == 0:
        return
    inferences, layers = len(result.outputs), len(firmware.steps)
    if len(execution.intervals) != inferences * (layers + 1):
        raise UserError("The instruction counter could not write all counts. Is the disk full?")
    by_inference = np.array(execution.intervals, np.int64).reshape(inferences, layers + 1)
    longest = by_inference.sum(axis=1).argmax()
    result.instructions = int(by_inference[longest].sum())
    result.layer_instructions = by_inference[longest, :-1].tolist()
    if execution.loads:
        loads = np.array(execution.loads, np.int64).reshape(inferences, layers + 1)
        result.layer_loads = loads[longest, :-1].tolist()


def _add_layers(result: Run, traced: np.ndarray, firmware: Firmware) -> None:
    """The file holds, for each inference, each layer's output."""
    by_inference = traced.reshape(len(result.outputs), sum(firmware.step_bytes))
    ends = np.cumsum(firmware.step_bytes)[:-1]
    result.layers = np.split(by_inference, ends, axis=1)
