"""What people see: tables on stdout, progress on stderr."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_NOISIEST = 5
"""How many activations the report of an export shows."""

quiet = False
"""Set by --quiet: no progress."""


def say(text: str) -> None:
    """Tell what happens next, on stderr."""
    if not quiet:
        print(text, file=sys.stderr, flush=True)


def table(title: str, rows: list[dict]) -> None:
    """Print dictionaries with the same keys, a line each.

    The first column and numbers stay whole where others wrap.
    """
    shown = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for number, key in enumerate(rows[0]):
        numeric = any(isinstance(row[key], int | float) for row in rows)
        shown.add_column(
            key.replace("_", " "),
            justify="right" if numeric else "left",
            overflow="ellipsis",
            no_wrap=numeric or number == 0,
        )
    for row in rows:
        shown.add_row(*(_text(value) for value in row.values()))
    console = Console()
    if console.is_terminal:
        console.print(shown)
        return
    console.width = 200  # a file has no edge to wrap at
    with console.capture() as capture:
        console.print(shown)
    for line in capture.get().splitlines():
        print(line.rstrip())


def _text(value) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    return "-" if value is None else str(value)


@contextlib.contextmanager
def working(text: str) -> Iterator[None]:
    """Show on a terminal that something is going on."""
    if quiet:
        yield
        return
    with Console(stderr=True).status(text):
        yield


@contextlib.contextmanager
def counting(text: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal; yields a function that takes how many of `total` are done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    )
    console = Console(stderr=True)
    hidden = quiet or not console.is_terminal
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=hidden) as bar:
        task = bar.add_task(text, total=total)
        yield lambda done: bar.update(task, completed=done)


def inspection(result: dict) -> None:
    """Print what `keras-bc inspect` found: a line for each tensor of each op, then the bytes."""
    ends = [("input", result["inputs"]), ("output", result["outputs"])]
    rows = [_tensor_row(*end) for end in _flat(ends)]
    table(f"{result['name']}: {result['file_bytes']:,} bytes", rows)
    rows = []
    for number, op in enumerate(result["ops"]):
        ends = [("reads", op["inputs"]), ("writes", op["outputs"])]
        named = {"op": f"{number} {op['op']}", "layer": op["name"]}
        for role, tensor in _flat(ends):
            rows.append({**named, **_tensor_row(role, tensor)})
            named = {"op": "", "layer": ""}
    table("Ops", rows)
    rows = [
        {"op": f"{number} {op['op']}", "options": " ".join(f"{k}={v}" for k, v in found.items())}
        for number, op in enumerate(result["ops"])
        if (found := op["options"])
    ]
    if rows:
        table("Options", rows)
    sizes = {key.replace("_", " "): count for key, count in result["bytes"].items()}
    parts = [f"{name} {count:,}" for name, count in sizes.items()]
    print(f"{result['file_bytes']:,} bytes: {', '.join(parts)}.")
    print("Tables are names, shapes, types, builtins' options, offsets and padding.")


def _flat(ends: list[tuple[str, list[dict]]]) -> Iterator[tuple[str, dict]]:
    return ((role, tensor) for role, tensors in ends for tensor in tensors)


def _tensor_row(role: str, tensor: dict) -> dict:
    quantization = tensor["quantization"]
    scale = zero_point = ""
    if quantization:
        scale = f"{quantization['scale_min']:.6g}"
        if quantization["channels"] > 1:
            scale += f" to {quantization['scale_max']:.6g}, {quantization['channels']} channels"
        zero_point = str(quantization["zero_point"])
    return {
        "role": role,
        "tensor": tensor["name"],
        "type": tensor["type"],
        "shape": str(tensor["shape"]),
        "scale": scale,
        "zero_point": zero_point,
        "bytes": tensor["bytes"],
    }


def emulation(result: dict) -> None:
    """Print what `keras-bc emulate` found."""
    profile = result["instructions"] is not None
    if profile:
        unit = result["unit"]
        rows = [
            {key: layer[key] for key in ("name", "op", "macs")}
            | {unit: layer["instructions"]}
            | {"per_mac": layer["instructions"] / layer["macs"] if layer["macs"] else None}
            for layer in result["layers"]
        ]
        table(f"{result['board']}: {result['unit']} of one inference", rows)
    lines = [
        f"{result['board']}: {result['error']:.2f} % error on {result['samples']:,} samples, "
        f"{result['mismatches']} outputs differ from the host's",
        f"flash {result['flash_bytes']:,} bytes (code {result['code_bytes']:,}, model "
        f"{result['model_bytes']:,}), RAM {result['ram_bytes']:,} bytes, of it a stack of "
        f"{result['stack_bytes']:,} at its peak",
    ]
    if profile:
        macs = sum(layer["macs"] for layer in result["layers"])
        each = result["instructions"] / macs if macs else 0
        lines.append(f"{result['instructions']:,} {result['unit']}, {each:.2f} per MAC")
    for line in lines:
        print(line)


def accuracy(result: dict, reason: str | None) -> None:
    """Print what `keras-bc export` found of the errors, or why it did not, and of the noise."""
    if result["noise"]:
        table("The least signal-to-noise ratios, in decibels", result["noise"][:_NOISIEST])
    found = result["accuracy"]
    if found is None:
        print(f"No test error is measured: {reason}")
        return
    print(
        f"{found['float_error']:.2f} % error of the float network with its deployed weights, "
        f"{found['integer_error']:.2f} % of the export, on {found['samples']:,} samples: a drop "
        f"of {found['drop']:.2f} points; {found['changed']:.2f} % get another class"
    )


def demo(result: dict) -> None:
    """Print what the demo measured, from the trained model to each board."""
    table(f"{result['recipe']} on {result['dataset']}", result["rows"])
    print(f"Everything is in {result['folder']}.")
