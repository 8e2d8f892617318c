"""The course of a training as a picture."""

from pathlib import Path

from keras_bc import files

_LOSS, _ERROR, _INK = "#8a94a6", "#0b6e99", "#2b2f36"


def plot(history: dict, path: Path) -> None:
    """Draw training loss (dotted) and validation error (solid) over the epochs into a PNG.

    Args:
        history: As `keras_bc.training.train` returns it.
        path: Written whole or not at all.
    """
    from matplotlib.figure import Figure  # no pyplot: no window system, no global state

    figure = Figure(figsize=(7, 4), dpi=120, layout="constrained")
    left = figure.subplots()
    right = left.twinx()
    epochs = range(1, len(history["loss"]) + 1)
    _curve(left, epochs, history["loss"], "training loss", _LOSS, ":")
    _curve(right, epochs, history["validation_error"], "validation error (%)", _ERROR, "-")
    _mark_best(right, history)
    left.set_xlabel("epoch", color=_INK)
    left.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    left.set_title(_title(history), loc="left", color=_INK, fontsize=11, pad=12)
    left.grid(axis="x", color="#e6e8ec", linewidth=0.8)
    left.set_axisbelow(True)
    for axes in (left, right):
        axes.margins(x=0.02, y=0.1)
        axes.tick_params(which="both", length=0)
        axes.spines[:].set_visible(False)
    with files.replacing(path) as partial:
        figure.savefig(partial)


def _curve(axes, epochs, values, label, color, style):
    marker = "o" if len(values) == 1 else None  # a line of one point is none
    axes.plot(epochs, values, style, color=color, linewidth=1.8, marker=marker)
    axes.set_ylabel(label, color=color)
    axes.tick_params(axis="y", which="both", labelcolor=color)
    if min(values) > 0:
        axes.set_yscale("log")
        _label_decades(axes)


def _label_decades(axes):
    """Plain numbers at 1, 2 and 5 of each decade: a log axis may span less than one."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _mark_best(axes, history):
    epoch, error = history["best_epoch"], history["best_validation_error"]
    axes.plot([epoch], [error], "o", color=_ERROR, markersize=6)
    share = epoch / len(history["loss"])  # at either end the label stays inside
    axes.annotate(
        f"{error:.2f} %",
        (epoch, error),
        xytext=(0, -9),  # below: no curve comes there
        textcoords="offset points",
        ha="left" if share < 0.1 else "right" if share > 0.9 else "center",
        va="top",
        color=_ERROR,
        fontsize=9,
    )


def _title(history):
    return f"{history['recipe']}: validation error with {history['weights']} weights"
