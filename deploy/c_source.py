"""Write an integer graph as C: one header and one source that call the kernels of kbc.h.

The text is in templates/; here is what fills it in.
"""

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from keras_bc.deploy import bands, c_text, targets
from keras_bc.deploy.graph import Graph, Tensor
from keras_bc.deploy.layer import Layer, Step
from keras_bc.deploy.plan import Plan, constant_identity, plan, tensor_bytes
from keras_bc.errors import UserError

__all__ = ["emit", "plan"]

TEMPLATES = Path(__file__).resolve().parent / "templates"


def emit(
    graph: Graph,
    folder: str | Path,
    cpu: str = "any",
    namespace: str = "model",
    ram_limit: int | None = None,
    const_in_flash: bool = False,
    variants: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write NAMESPACE.h and NAMESPACE.c into `folder`. The same graph gives the same bytes.

    Args:
        graph: In the integer dialect.
        folder: It must exist; what writes over an earlier model stages it (see `files.staging`).
        cpu: As the compiler names it, such as "cortex-m4"; "any" takes portable kernels only.
        namespace: Prefix of the files, functions and constants; see `c_text.check_namespace`.
        ram_limit: Bytes that the arena may have, where smaller kernels can still save some; see
            `plan`.
        const_in_flash: Put constants and parameters into the section that kbc_port.h names
            KBC_IN_FLASH, and let no compiler go on that has none. Else it is left to the linker,
            which puts constants into flash on nearly every chip.
        variants: See `plan`.

    Returns:
        The files. The library that they call comes by `library.copy`.

    Raises:
        UserError: The graph cannot be written as C.
        OSError: A file cannot be written.
    """
    c_text.check_namespace(namespace)
    context = _context(graph, plan(graph, cpu, ram_limit, variants), namespace)
    apart = targets.of(cpu).flash_apart  # then constants are in flash anyway, parameters never
    context |= {
        "const_in_flash": const_in_flash and not apart,
        "flash": "KBC_LPM_FLASH" if apart else "KBC_IN_FLASH" if const_in_flash else "KBC_FLASH",
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    files = []
    for suffix in (".h", ".c"):
        files.append(Path(folder) / f"{namespace}{suffix}")
        text = environment.get_template(f"model{suffix}").render(context)
        files[-1].write_text(text, encoding="utf-8", newline="\n")
    return files


def _context(graph: Graph, model: Plan, namespace: str) -> dict[str, Any]:
    """What the templates speak of."""
    names = c_text.identifiers(layer.name for layer in model.layers)
    inputs, outputs = _ends(graph, "input"), _ends(graph, "output")
    symbols = {end["tensor"]: f"{end['id']}_offset" for end in inputs} | {
        layer.output: f"{name}_output_offset"
        for name, layer in zip(names, model.layers, strict=True)
    }
    symbols = {name: symbols[root] for name, root in model.roots.items()}
    for end in inputs + outputs:
        end["symbol"] = symbols[end["tensor"]]
        end["offset"] = model.offsets[model.roots[end["tensor"]]]
    shared: dict[tuple, str] = {}
    layers = {
        layer.output: _layer(graph, model, layer, name, shared)
        for name, layer in zip(names, model.layers, strict=True)
    }
    steps = [_step(graph, model, number, layers, symbols) for number in range(len(model.steps))]
    return {
        "title": c_text.comment(graph.name),
        "namespace": namespace,
        "NAMESPACE": namespace.upper(),
        "inputs": inputs,
        "outputs": outputs,
        "layers": list(layers.values()),
        "steps": steps,
        "macs": sum(layer.macs for layer in model.layers),
        "arena_bytes": model.arena_bytes,
        "constant_bytes": model.constant_bytes,
    }


def _ends(graph: Graph, side: str) -> list[dict[str, Any]]:
    """The model's inputs or outputs; where there are several, their names tell them apart."""
    names = getattr(graph, f"{side}s")
    ids = [side]
    if len(names) > 1:
        ids = [f"{side}_{name}" for name in c_text.identifiers(names)]
    return [
        _end(graph.tensors[name], identifier) for name, identifier in zip(names, ids, strict=True)
    ]


def _end(tensor: Tensor, identifier: str) -> dict[str, Any]:
    """An input or an output of the model."""
    if tensor.dtype != "int8":
        raise UserError(
            f"`{tensor.name}` is {tensor.dtype}; in C a model's inputs and outputs are int8. "
            "Export with int8 activations; single layers can be kept in floating point."
        )
    scale, zero_point = float(tensor.scale[0]), tensor.zero_point
    sign = "+" if zero_point < 0 else "-"
    return {
        "tensor": tensor.name,
        "id": identifier,
        "ID": identifier.upper(),
        "title": identifier.capitalize().replace("_", " "),
        "bytes": prod(tensor.shape),
        "shape": list(tensor.shape),
        "layout": " (NHWC: batch, height, width, channels)" if len(tensor.shape) == 4 else "",
        "scale": f"{scale:#.9g}",
        "zero_point": zero_point,
        "real": f"{scale:.9g} * (q {sign} {abs(zero_point)})",
    }


def _layer(
    graph: Graph, model: Plan, layer: Layer, name: str, shared: dict[tuple, str]
) -> dict[str, Any]:
    """A layer, with those of its constants that none before it has; `shared` are the names."""
    op = layer.call.op
    flows = [graph.tensors[tensor] for tensor in op.inputs if tensor in model.roots]
    y = graph.tensors[layer.output]
    constants, names = {}, dict(layer.call.functions)
    for field, data in layer.constants().items():
        identity = constant_identity(field, data)
        if identity not in shared:
            constants[field], shared[identity] = data, f"{name}_{field}"
        names[field] = shared[identity]
    return {
        "id": name,
        "description": c_text.comment(f"{layer.name}: {layer.kind}, kernel {layer.variant}"),
        "shapes": f"{', '.join(str(list(x.shape)) for x in flows)} -> {list(y.shape)}",
        "macs": layer.macs,
        "constants": [_constant(*item) for item in constants.items()],
        "constant_bytes": sum(data.nbytes for data in constants.values()),
        "struct": layer.call.params.c_name,
        "names": names,  # what its parameters point to
        "params": [],  # of each of its calls
        "output_offset": model.offsets[y.name],
    }


def _step(
    graph: Graph, model: Plan, number: int, layers: dict[str, dict], symbols: dict[str, str]
) -> dict[str, Any]:
    """The calls of a step; the parameters of each are added to its layer."""
    step = model.steps[number]
    scratch = f"{layers[step.output]['id']}_scratch_offset"
    calls = []
    for piece, places in _pieces(graph, step, symbols):
        layer = layers[piece.layer.output]
        count = len(layer["params"])
        name = f"{layer['id']}_params{count + 1 if step.bands > 1 else ''}"
        layer["params"].append({"name": name, "text": c_text.struct(piece.params, layer["names"])})
        if piece.layer.call.gathers:
            *flows, y = places
            places = [f"(const int8_t *const[]){{{', '.join(flows)}}}", y]
        if piece.layer.scratch_bytes is not None:
            places.append(f"memory + {scratch}" if piece.scratch_bytes else "0")
        calls.append(c_text.call(piece.layer.kernel.function, [f"&{name}", *places]))
    return {
        "calls": calls,
        "scratch": scratch,
        "scratch_offset": model.scratch_offsets[number],
        "output": f"{layers[step.output]['id']}_output_offset",
        "output_bytes": tensor_bytes(graph.tensors[step.output]),
    }


def _pieces(
    graph: Graph, step: Step, symbols: dict[str, str]
) -> Iterator[tuple[bands.Piece, list[str]]]:
    """The calls of a step, and where their tensors lie: inputs, a shortcut or 0, the output."""
    if step.bands == 1:
        (layer,) = step.layers
        yield bands.whole(layer), _places(graph, layer, symbols)
        return
    for pair in bands.pieces(*step.layers, step.bands):
        first, second = pair
        # What lies between them is a band, which begins with the first row that is needed.
        rows = {"x": first.x[0], "shortcut": first.y[0]}
        yield first, _places(graph, first.layer, symbols, **rows)
        rows = {"shortcut": second.y[0], "y": second.y[0]}
        yield second, _places(graph, second.layer, symbols, **rows)


def _places(
    graph: Graph, layer: Layer, symbols: dict[str, str], x: int = 0, shortcut: int = 0, y: int = 0
) -> list[str]:
    """C's words for the tensors of a call, each from a row on."""
    flows = [tensor for tensor in layer.call.op.inputs if tensor in symbols]
    rows = [x, *[shortcut] * (len(flows) - 1), y]
    places = []
    for tensor, row in zip([*flows, layer.output], rows, strict=True):
        skipped = f" + {row * bands.row_bytes(graph, tensor)}" if row else ""
        places.append(f"memory + {symbols[tensor]}{skipped}")
    if layer.call.takes_shortcut and len(flows) == 1:
        places.insert(1, "0")
    return places


_CHANNELS = {
    ("int32", 2): "kbc_threshold",
    ("int32", 3): "kbc_channel",
    ("uint32", 3): "kbc_line",
    ("float32", 5): "kbc_float_channel",
}
"""The struct of a channel's parameters by their type and how many they are."""


def _constant(field: str, data: np.ndarray) -> dict[str, Any]:
    if field == "channels" and data.ndim == 2:
        kind = _CHANNELS[str(data.dtype), data.shape[1]]
        length, text = len(data), c_text.channels(data)
    else:
        kind, text = c_text.numbers(data)
        length = data.size
    return {"field": field, "type": kind, "length": length, "text": text}
