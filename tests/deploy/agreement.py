"""Whether the executors of an integer graph agree with the reference, in every tensor."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from keras_bc.deploy import emulator, firmware, flatbuffer, reference
from keras_bc.deploy.boards import Board
from keras_bc.deploy.graph import Graph
from keras_bc.deploy.interpreter import Interpreter
from keras_bc.inputs import Inputs
from tests.deploy.c_build import run_emitted


def check_on_host(data: bytes, x: Inputs, folder: Path) -> None:
    """The delegate, and C under sanitizers, give the integers of the reference in every tensor.

    Args:
        data: A `.tflite` file.
        x: int8 `[n, ...]`, or one such array for each input.
        folder: For what is written on the way.
    """
    graph = flatbuffer.read(data)
    expected = reference.run(graph, x)
    every = [name for op in graph.ops for name in op.outputs]
    _check(Interpreter(data).run_all(x), expected, every, "delegate")
    _check(run_emitted(graph, x, folder), expected, graph.outputs, "C")


def check_on_board(
    graph: Graph,
    board: Board,
    x: Inputs,
    folder: Path,
    variants: Mapping[str, str] | None = None,
) -> emulator.Run:
    """An emulated board gives the integers of the reference in every tensor.

    Args:
        graph: In the integer dialect.
        board: One that has an emulator.
        x: As for `check_on_host`.
        folder: As for `check_on_host`.
        variants: The kernels' variants by op, instead of the best; see `plan.plan`.
    """
    (folder / "model.tflite").write_bytes(flatbuffer.write(graph))
    built = firmware.build(folder / "model.tflite", board, folder / "build", variants)
    run = emulator.run(built, board, x, trace=True)
    expected = reference.run(graph, x)
    outputs = np.split(run.outputs, _ends(expected, graph.outputs), axis=1)[:-1]
    names = [step.output for step in built.steps]
    traced = [*zip(names, run.layers, strict=True)]
    traced += zip(graph.outputs, outputs, strict=True)
    for name, found in traced:
        same = np.ascontiguousarray(expected[name]).view(np.int8).reshape(found.shape)
        np.testing.assert_array_equal(found, same, f"{board.name}: {name}")
    assert 0 < run.stack_bytes < board.stack
    return run


def _ends(expected: dict[str, np.ndarray], outputs: list[str]) -> np.ndarray:
    return np.cumsum([expected[name][0].nbytes for name in outputs])


def _check(
    found: dict[str, np.ndarray],
    expected: dict[str, np.ndarray],
    names: Iterable[str],
    executor: str,
) -> None:
    missing = set(names) - found.keys()
    assert not missing, f"{executor} gives no {missing}"
    for name, integers in found.items():
        np.testing.assert_array_equal(integers, expected[name], f"{executor}: {name}")
