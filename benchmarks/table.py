"""Compare what was measured with every recipe to what the papers measured: `docs/results.md`.

    python benchmarks/table.py

It reads what benchmarks/train.py wrote to benchmarks/results. A run counts for a recipe as it is
today; of an experiment that has changed since, the figures are left out, and that is said.
"""

from pathlib import Path

import click

from keras_bc import console, files, results
from keras_bc.recipes import RECIPES, Recipe

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "docs" / "results.md"

OURS = "Our own"
COLUMNS = ("recipe", "network", "paper", "one-bit", "real", "ensemble", "epochs", "seconds")
_INTRODUCTION = """\
# Test errors, published and measured

Test errors in percent. *One-bit* (or ternary) are the deployed weights, which a chip gets; *real*
are the float weights of the training; *ensemble* is the mean of {ensembles} networks with drawn
weights. **Bold** are the weights that the paper measures with, or that the recipe is for. *Epochs*
are those run, of those planned if fewer: then the error is that of a **short run**, and does not
reproduce the published one. *Seconds* are of the training, on {cores} cores of a CPU, which may
have done other work meanwhile. The epoch is chosen by the validation error. Where two papers have
the same network and settings, their rows are the same training, run twice.

`python benchmarks/train.py RECIPE` measures a recipe; `python benchmarks/table.py` writes this.
"""

PICTURES = {
    "weights.png": "The first layer's real weights after training on MNIST, in units of Glorot's "
    "H (BinaryConnect, figure 2).",
    "features.png": "Features of the first layer, MNIST (BinaryConnect, figure 1).",
    "curves-mnist.png": "Training cost, dotted, and validation error, solid, of 784-3x1024-10 on "
    "MNIST, with the weights that are bold above (BinaryConnect, figure 3, has CIFAR-10).",
    "curves-cifar10.png": "The same on CIFAR-10, at a quarter of the width.",
    "shift_range.png": "Test error by how far quantized back-propagation may shift (Neural "
    "Networks with Few Multiplications, figure 3); `python benchmarks/shift_range.py`.",
}
"""What benchmarks/pictures.py draws, in the order of the page."""


def rows(runs: list[dict]) -> list[dict]:
    """Return a row for each recipe, its cells as text, and "paper_title", which it is from."""
    return [
        {"paper_title": _paper(recipe), **_row(recipe, run)}
        for recipe in RECIPES.values()
        for run in [r for r in runs if results.is_of(recipe, r)] or [None]
    ]


def _paper(recipe: Recipe) -> str:
    """The paper, without its section or its code."""
    title, _, year_and_place = recipe.reference.rpartition(" et al. ")
    return f"{title} et al. {year_and_place[:4]}" if title else OURS


def _row(recipe: Recipe, run: dict | None) -> dict:
    row = dict.fromkeys(COLUMNS, "")
    row.update(recipe=recipe.name, network=recipe.summary)
    row["paper"] = recipe.published_error.replace("+-", "±")
    if run is None:
        return {**row, "one-bit": "not run", "epochs": f"0 of {recipe.epochs:,}"}
    binary = any("kernel_quantizer" in arguments for _, arguments in recipe.layers)
    errors = {"one-bit": "deployed", "real": "real", "ensemble": "ensemble"}
    for column, weights in errors.items():
        error = run.get(f"test_error_{weights}")
        if error is not None and (binary or weights == "real"):
            mark = "**" if weights == recipe.weights else ""
            row[column] = f"{mark}{error:.2f}{mark}"
    short = run["epochs"] < recipe.epochs
    epochs = f"{run['epochs']:,}" + (f" of {recipe.epochs:,}, short" if short else "")
    return {**row, "epochs": epochs, "seconds": f"{run['training_seconds']:,}"}


def markdown(runs: list[dict]) -> str:
    """Return the page: a table for each paper, and what was left out."""
    cores = sorted({str(run["cores"]) for run in runs})
    ensembles = sorted({run["ensemble"].rpartition(":")[2] for run in runs if "ensemble" in run})
    lines = [
        _INTRODUCTION.format(
            cores=" or ".join(cores) or "the", ensembles=" or ".join(ensembles) or "several"
        )
    ]
    groups = {}
    for row in sorted(rows(runs), key=lambda row: row["paper_title"] == OURS):  # those last
        groups.setdefault(row["paper_title"], []).append(row)
    for title, group in groups.items():
        lines += [f"## {title}", "", _line(COLUMNS), "|---|---|" + "--:|" * (len(COLUMNS) - 2)]
        lines += [_line(row[column] for column in COLUMNS) for row in group]
        lines.append("")
    if left_out(runs):
        names = ", ".join(left_out(runs))
        lines += [f"Measured before the recipe became what it is, and left out: {names}.", ""]
    return "\n".join(lines)


def gallery(folder: Path) -> str:
    """Return the part of the page that shows the pictures which lie in the folder."""
    lines = []
    for name, caption in PICTURES.items():
        if (folder / name).exists():
            lines += ["", caption, "", f"![{Path(name).stem}]({folder.name}/{name})"]
    return "\n".join(["\n## The papers' pictures", *lines, ""]) if lines else ""


def left_out(runs: list[dict]) -> list[str]:
    """Return the names of the runs that are of no recipe as it is today."""
    counted = [run for recipe in RECIPES.values() for run in runs if results.is_of(recipe, run)]
    return [run["recipe"] for run in runs if run not in counted]


def _line(cells) -> str:
    return f"| {' | '.join(cells)} |"


@click.command(help=__doc__.splitlines()[0])
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=OUTPUT,
    help="Where to write the page. Default: docs/results.md.",
)
def main(output):
    runs = results.runs()
    shown = [{column: row[column].replace("**", "") for column in COLUMNS} for row in rows(runs)]
    console.table("Test errors in percent", shown)
    for name in left_out(runs):
        console.say(f"{name}: measured before the recipe became what it is, left out.")
    output.parent.mkdir(exist_ok=True)
    files.write_text(output, markdown(runs) + gallery(output.parent / "pictures"))


if __name__ == "__main__":
    main()
