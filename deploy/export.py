"""From a trained model to its artefacts: the one function that walks the steps."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import keras

from keras_bc import datasets, files, models
from keras_bc.deploy import c_source, flatbuffer, library, workspace
from keras_bc.deploy.calibrate import calibrate
from keras_bc.deploy.export_options import Options
from keras_bc.deploy.float_ops import is_float
from keras_bc.deploy.fuse import fuse
from keras_bc.deploy.graph import Graph
from keras_bc.deploy.inspection import layer_rows
from keras_bc.deploy.quantize import check_supported, pack, quantize
from keras_bc.deploy.trace import trace
from keras_bc.errors import UserError
from keras_bc.inputs import Inputs, NamedInputs, head
from keras_bc.model_inputs import input_names, ordered

CALIBRATION_SAMPLES = 1000
"""How many of a data set's first examples."""


@dataclass(frozen=True)
class Export:
    """What an export wrote.

    Attributes:
        model: The `.tflite`; None where C sources alone were asked for.
        tflite_bytes: Its size, or None.
        weight_bytes: Of the constants in it: weights, biases and per-channel parameters.
        layers: For each op its `name`, `op`, output `shape` and `weight_bytes`.
        graph: What they are: the integer graph.
        no_sources: Why there are no C sources; None where there are some.
    """

    model: Path | None
    tflite_bytes: int | None
    weight_bytes: int
    layers: list[dict]
    graph: Graph
    no_sources: str | None = None


def export(
    model: keras.Model,
    samples: NamedInputs | None,
    folder: str | Path,
    **options,
) -> Export:
    """Write `model` as `folder/model.tflite` and as C sources for any CPU.

    The sources come with the kernels that they call, in `folder/kbc`, and compile as they stand. A
    model of floating point may have none.

    Args:
        model: Trained, batch-norm statistics estimated with the deployed weights.
        samples: float32 `[n, ...]` inputs, to calibrate the activations' ranges on; for several
            inputs one such array each, in the model's order or by their names. A model of float32
            needs none.
        folder: Made if there is none; what an earlier export wrote there is replaced.
        options: Those of `export_options.Options`.

    Returns:
        What was written.

    Raises:
        UserError: The model or the samples cannot be exported, or the folder is not ours.
    """
    chosen = Options(**options)
    chosen.check()
    folder = Path(folder)
    data = flatbuffer.write(to_graph(model, samples, **options))
    graph = flatbuffer.read(data)  # what the chip runs is what the file says
    workspace.check(folder)
    earlier = workspace.exported_files(folder)
    with files.staging(folder) as stage:
        if not chosen.c_only:
            (stage / workspace.MODEL).write_bytes(data)
        sources = {"namespace": chosen.namespace, "const_in_flash": chosen.const_in_flash}
        no_sources = _emit(graph, stage, chosen, sources)
        workspace.sign(stage, workspace.contents(stage), sources)
    _remove(set(earlier) - set(workspace.exported_files(folder)))
    layers = layer_rows(graph)
    weight_bytes = sum(layer["weight_bytes"] for layer in layers)
    if chosen.c_only:
        return Export(None, None, weight_bytes, layers, graph)
    return Export(folder / workspace.MODEL, len(data), weight_bytes, layers, graph, no_sources)


def _emit(graph: Graph, folder: Path, chosen: Options, sources: dict) -> str | None:
    """Write the C sources and their kernels; why not, where a float op has no kernel."""
    limit = chosen.ram_limit
    try:
        c_source.emit(graph, folder, ram_limit=limit, **sources)
    except UserError as error:
        if not any(is_float(graph, op) for op in graph.ops):
            raise
        if chosen.c_only:
            raise UserError(
                f"{error} Leave it out of the layers that stay in floating point, or export "
                "without --c-only."
            ) from error
        return str(error)
    plan = c_source.plan(graph, ram_limit=limit)
    if limit is not None and plan.arena_bytes > limit:
        raise UserError(
            f"The arena takes {plan.arena_bytes} bytes at the least, and {limit} are allowed. "
            "Allow more, or take a smaller model."
        )
    library.copy(plan, folder)
    return None


def _remove(stale: set[Path]) -> None:
    """Remove files of an earlier export; one that cannot be is no reason to fail this one."""
    for path in stale:
        with contextlib.suppress(OSError):
            path.unlink()


def check(model: keras.Model, **options) -> None:
    """Stop with a UserError where the model cannot be exported so, whatever the samples."""
    chosen = Options(**options)
    chosen.check()
    check_supported(fuse(trace(model)), chosen.keep_float)


def calibration_samples(model: keras.Model, dataset: str | None = None) -> Inputs:
    """Inputs to calibrate `model` on: of a data set or a `.npz` file, or of its recipe's data."""
    name = models.dataset_of(model.name, dataset)
    samples = datasets.load_calibration(name, input_names(model))
    return models.fit_input(model, head(samples.x, CALIBRATION_SAMPLES))


def to_graph(model: keras.Model, samples: NamedInputs | None, **options) -> Graph:
    """The integer graph of a trained model; see `export` for the arguments."""
    chosen, fused = Options(**options), fuse(trace(model))
    if chosen.activations == "float32":
        return pack(fused)
    if samples is None:
        raise UserError("Activations of int8 are calibrated on samples. Give some, 500 are usual.")
    ranges = calibrate(fused, ordered(model, samples), chosen.calibration)
    return quantize(fused, ranges, chosen.keep_float)
