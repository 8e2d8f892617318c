"""Compare a board's firmware with the host's interpreter, on real data."""

from pathlib import Path

import numpy as np

from keras_bc.classification import check_labels, check_one_output, error_percent
from keras_bc.datasets import fit_shapes
from keras_bc.deploy import emulator, firmware, targets, workspace
from keras_bc.deploy.boards import Board
from keras_bc.deploy.graph import Graph
from keras_bc.deploy.interpreter import Interpreter
from keras_bc.inputs import Inputs, NamedInputs, in_order, samples


def evaluate(path: Path, x: NamedInputs, y: np.ndarray) -> dict:
    """Test error of a `.tflite` in the host's interpreter.

    Args:
        path: The file, or an export's folder.
        x: float32 `[n, ...]`; of several inputs a list of such arrays in the model's order, or a
            dictionary by the inputs' names.
        y: Integer labels `[n]`.

    Returns:
        `{"error": percent, "samples": n, "weights": "deployed"}`.

    Raises:
        UserError: The file cannot be run, or the data do not fit it.
    """
    graph = workspace.read_model(path)  # first: it looks closer than any interpreter
    interpreter = Interpreter(workspace.model_file(path))
    outputs = interpreter.run(_quantized(graph, interpreter, x, y))
    return {"error": error_percent(outputs, y), "samples": len(y), "weights": "deployed"}


def emulate(
    path: Path,
    board: Board,
    x: NamedInputs,
    y: np.ndarray,
    profile: bool = False,
    progress=lambda done: None,
) -> dict:
    """Run a model on an emulated board, and compare each output with the host's, bit for bit.

    Args:
        path: An export's folder, or a `.tflite`.
        board: One that has an emulator.
        x: float32 `[n, ...]`; of several inputs a list of such arrays in the model's order, or a
            dictionary by the inputs' names.
        y: Integer labels `[n]`.
        profile: Count instructions too.
        progress: Called with the number of inferences done.

    Returns:
        The keys of `keras-bc emulate --json` (see the design): sizes in bytes, error in percent,
        mismatches in samples; instructions of one inference or None, which are cycles where the
        key `unit` says so.

    Raises:
        UserError: A tool is missing, the model does not fit the board, or the data do not fit it.
    """
    graph = workspace.read_model(path)
    interpreter = Interpreter(workspace.model_file(path))
    inputs = _quantized(graph, interpreter, x, y)
    built = firmware.build(path, board, workspace.build_folder(path, board.name))
    run = emulator.run(built, board, inputs, profile=profile, progress=progress)
    outputs = run.outputs.reshape(len(y), -1)
    host = interpreter.run(inputs).reshape(len(y), -1)
    instructions = run.layer_instructions or [None] * len(built.steps)
    return {
        "board": board.name,
        "samples": len(y),
        "error": error_percent(outputs, y),
        "mismatches": int((outputs != host).any(axis=1).sum()),
        "flash_bytes": built.flash_bytes,
        "code_bytes": built.code_bytes,
        "model_bytes": built.model_bytes,
        "ram_bytes": built.ram_bytes,
        "stack_bytes": run.stack_bytes,
        "instructions": run.instructions,
        "unit": targets.of(board.cpu).unit,
        "layers": [
            {"name": layer.name, "op": layer.kind, "macs": layer.macs, "instructions": count}
            for layer, count in zip(built.steps, instructions, strict=True)
        ],
    }


def _quantized(graph: Graph, interpreter: Interpreter, x: NamedInputs, y: np.ndarray) -> Inputs:
    check_one_output(len(graph.outputs))
    x = in_order(x, graph.inputs)
    check_labels(y, samples(x))
    shapes = [graph.tensors[name].shape[1:] for name in graph.inputs]
    return interpreter.quantize(fit_shapes(x, shapes))
