"""Draw the papers' figures from what was trained and measured here, into `docs/pictures`.

    python benchmarks/pictures.py runs

- weights.png: the first layer's real weights (BinaryConnect, figure 2);
- features.png: the first layer's features (BinaryConnect, figure 1);
- curves-mnist.png, curves-cifar10.png: training costs and errors (BinaryConnect, figure 3);
- shift_range.png: error by range of shifts (Neural Networks with Few Multiplications, figure 3).

The first two are of the models in the given folder, where benchmarks/train.py leaves them, the
others of benchmarks/results. A picture whose input is missing is left out, and that is said.
"""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

from keras_bc import files, glorot, models, recipes, results
from keras_bc.errors import UserError
from keras_bc.quiet_import import import_tensorflow

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "docs" / "pictures"
SHIFT_RANGE = ROOT / "benchmarks" / "results" / "shift_range.json"

DPI = 120
INK, GRID = "#2b2f36", "#e6e8ec"
COLORS = {
    "no binarization": "#8a94a6",
    "dropout": "#b9975b",
    "deterministic": "#0b6e99",
    "stochastic": "#c2553f",
}

MNIST = {
    "no binarization": "mnist-mlp-none",
    "deterministic": "mnist-mlp",
    "stochastic": "mnist-mlp-stochastic",
}
MNIST_AND_DROPOUT = {**MNIST, "dropout": "mnist-mlp-dropout"}
CIFAR10 = {
    "no binarization": "cifar10-cnn-quarter-none",
    "deterministic": "cifar10-cnn-quarter",
    "stochastic": "cifar10-cnn-quarter-stochastic",
}
"""Recipes by what they are called in a picture."""


def draw_weights(folder: Path):
    """Histograms of the first layer's real weights, in units of H."""
    figure = _figure(9, 2.9)
    panels = figure.subplots(1, len(MNIST), sharey=True)
    edges = np.linspace(-2.125, 2.125, 86)  # -H, 0 and H are centers
    for axes, (label, recipe) in zip(panels, MNIST.items(), strict=True):
        kernel = _first_kernel(folder, recipe)
        values = (kernel / glorot.coefficient(kernel.shape)).ravel()
        shares = np.full(values.size, 100 / values.size)
        axes.hist(values, edges, weights=shares, color=COLORS[label])
        axes.set_title(label, loc="left", color=COLORS[label], fontsize=11)
        axes.set_xticks([-2, -1, 0, 1, 2], ["-2 H", "-H", "0", "H", "2 H"])
        _plain(axes, "y")
    panels[0].set_ylabel("share of the weights (%)", color=INK)
    return figure


def draw_features(folder: Path):
    """The first hidden units' weights as images, each pixel two by two."""
    kernels = {label: _first_kernel(folder, name) for label, name in MNIST_AND_DROPOUT.items()}
    tiles = {label: _tiles(kernel) for label, kernel in kernels.items()}
    size, gap, title = 2 * len(tiles["dropout"]), 24, 34
    width, height = len(tiles) * (size + gap), size + title + gap // 2
    figure = _figure(width / DPI, height / DPI, layout="none")
    for number, (label, image) in enumerate(tiles.items()):
        left, bottom = number * (size + gap) + gap // 2, gap // 2
        place = [left / width, bottom / height, size / width, size / height]
        axes = figure.add_axes(place)  # exact pixels: nothing is smoothed
        axes.imshow(image, cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
        axes.set_title(label, loc="left", color=INK, fontsize=11)
        axes.axis("off")
    return figure


def _tiles(kernel: np.ndarray, side: int = 5) -> np.ndarray:
    """The first side x side units' weights, each scaled to [-1, 1], between white lines."""
    frame = np.ones((side, 30, side, 30))
    for unit in range(side * side):
        image = kernel[:, unit].reshape(28, 28)
        bound = np.quantile(np.abs(image), 0.99)  # a single pixel does not dim the others
        frame[unit // side, :28, unit % side, :28] = np.clip(image / bound, -1, 1)
    return frame.reshape(side * 30, side * 30)[:-2, :-2]


def draw_curves(title: str, methods: dict[str, str]):
    """Training costs (dotted) and validation errors (solid) of several recipes."""
    from matplotlib.ticker import MaxNLocator

    runs = {label: _run(name) for label, name in methods.items()}
    figure = _figure(7, 5.2)
    above, below = figure.subplots(2, sharex=True, height_ratios=(2, 3))
    for label, run in runs.items():
        style = {"color": COLORS[label], "linewidth": 1.8}
        epochs = range(1, len(run["loss"]) + 1)
        above.plot(epochs, run["loss"], ":", **style)
        best = f"{label}, best {run['best_validation_error']:.2f} %"
        below.plot(epochs, run["validation_error"], label=best, **style)
    above.set_ylabel("training cost", color=INK)
    below.set_ylabel("validation error (%)", color=INK)
    below.set_xlabel("epoch", color=INK)
    below.xaxis.set_major_locator(MaxNLocator(steps=(1, 2, 5), integer=True))
    figure.align_ylabels()
    _logarithmic(above, below)
    for axes in (above, below):
        _plain(axes, "both")
        axes.margins(x=0.02)
    above.set_title(title, loc="left", color=INK, fontsize=11)
    below.legend(labelcolor="linecolor", loc="upper right", edgecolor="none", handlelength=1.2)
    return figure


def draw_shift_range(file: Path):
    """The mean test error of all seeds by the maximum number of shifts, and their range."""
    if not file.is_file():
        raise UserError(f"There is no {file}. Run `python benchmarks/shift_range.py`.")
    result = json.loads(file.read_text())
    errors = {}
    for row in result["rows"]:
        errors.setdefault(row["shifts"], []).append(row["test_error"])
    plain = np.mean(errors.pop(None))
    shifts, color = sorted(errors), COLORS["deterministic"]
    figure = _figure(7, 3.8)
    axes = figure.subplots()
    lowest, highest = ([end(errors[n]) for n in shifts] for end in (min, max))
    axes.fill_between(shifts, lowest, highest, color=color, alpha=0.15, linewidth=0)
    axes.plot(
        shifts,
        [np.mean(errors[n]) for n in shifts],
        "o-",
        color=color,
        linewidth=1.8,
        label="inputs rounded to powers of two",
    )
    axes.axhline(plain, color=INK, linestyle="--", linewidth=1, label="not rounded")
    axes.legend(frameon=False, labelcolor="linecolor", loc="upper right")
    axes.set_xticks(shifts)
    axes.set_xlabel("maximum number of shifts, to the left and to the right", color=INK)
    axes.set_ylabel("test error (%)", color=INK)
    seeds = len(errors[shifts[0]])
    mean = f", mean and range of {seeds} seeds" if seeds > 1 else ""
    axes.set_title(
        f"{result['recipe']}, {result['epochs']} epochs{mean}", loc="left", color=INK, fontsize=11
    )
    _plain(axes, "y")
    return figure


def _run(name: str) -> dict:
    recipe = recipes.find(name)
    found = [run for run in results.runs() if results.is_of(recipe, run)]
    if not found:
        raise UserError(f"There is no result of {name}. Run `python benchmarks/train.py {name}`.")
    return found[0]


def _first_kernel(folder: Path, name: str) -> np.ndarray:
    """The real weights of a model's first layer that has some, `(784, units)`."""
    model = models.load(folder / f"{name}.keras")
    return next(np.asarray(layer.kernel) for layer in model.layers if hasattr(layer, "kernel"))


def _figure(width: float, height: float, layout: str = "constrained"):
    from matplotlib.figure import Figure  # no pyplot: no window system, no global state

    return Figure(figsize=(width, height), dpi=DPI, layout=layout)


def _plain(axes, grid: str) -> None:
    axes.spines[:].set_visible(False)
    axes.tick_params(which="both", length=0, labelcolor=INK)
    axes.set_axisbelow(True)
    axes.grid(axis=grid, color=GRID, linewidth=0.8)


def _logarithmic(above, below) -> None:
    """Plain numbers: the more of a decade, the fewer decades there are."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    for axes in (above, below):
        axes.set_yscale("log")
        least, greatest = axes.get_ylim()
        subs = (1, 1.5, 2, 3, 5, 7) if greatest < 20 * least else (1,)
        axes.yaxis.set_major_locator(LogLocator(subs=subs))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def save(figure, path: Path) -> None:
    """Write a figure as a PNG of 64 colors, which a page loads fast."""
    from PIL import Image  # matplotlib writes its PNGs by it

    with io.BytesIO() as whole, files.replacing(path) as partial:
        figure.savefig(whole, format="png")
        picture = Image.open(whole).convert("RGB")
        picture.quantize(64, dither=Image.Dither.NONE).save(partial, "PNG", optimize=True)


PICTURES: dict[str, Callable] = {
    "weights": draw_weights,
    "features": draw_features,
    "curves-mnist": lambda _: draw_curves("MNIST, 784-3x1024-10", MNIST_AND_DROPOUT),
    "curves-cifar10": lambda _: draw_curves("CIFAR-10, a CNN a quarter as wide", CIFAR10),
    "shift_range": lambda _: draw_shift_range(SHIFT_RANGE),
}
"""Functions of the folder with the models, by the pictures' names."""


@click.command(help=__doc__.splitlines()[0])
@click.argument("folder", type=click.Path(path_type=Path), default=Path("runs"))
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=OUTPUT,
    help="Where to draw. Default: docs/pictures.",
)
def main(folder, output):
    import_tensorflow()
    output.mkdir(parents=True, exist_ok=True)
    missing = False
    for name, draw in PICTURES.items():
        path = output / f"{name}.png"
        try:
            save(draw(folder), path)
            click.echo(path)
        except UserError as error:
            missing = True
            click.echo(f"{path.name} is left out: {error}", err=True)
    sys.exit(missing)


if __name__ == "__main__":
    main()
