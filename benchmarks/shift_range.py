"""Train with quantized back-propagation of several ranges of shifts, and measure the test errors.

    python benchmarks/shift_range.py
    python benchmarks/shift_range.py --recipe mnist-few-binary-qbp --epochs 10 --seeds 3

Neural Networks with Few Multiplications, figure 3: the error by the maximum number of bits that an
input may be shifted by in the gradient, to the left and to the right. n stands for exponents within
[-n, n]; the last training is without quantized back-propagation. The trainings are short, so that
the errors compare with each other, and not with the paper's. benchmarks/pictures.py draws them.
"""

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import click

from keras_bc import console, datasets, files, models, recipes
from keras_bc.errors import UserError
from keras_bc.quiet_import import import_tensorflow

RESULTS = Path(__file__).parent / "results" / "shift_range.json"
SHIFTS = (0, 1, 2, 3, 4, 8)


def limited(recipe: recipes.Recipe, shifts: int | None) -> recipes.Recipe:
    """Return the recipe with exponents within [-shifts, shifts], or without the quantizer."""
    quantizer = None
    if shifts is not None:
        config = {"min_exponent": -shifts, "max_exponent": shifts}
        quantizer = {"class_name": "keras_bc>PowerOfTwo", "config": config}
    layers = tuple(
        (kind, {**arguments, "backprop_quantizer": quantizer})
        if "backprop_quantizer" in arguments
        else (kind, arguments)
        for kind, arguments in recipe.layers
    )
    return replace(recipe, layers=layers)


def measure(recipe: recipes.Recipe, epochs: int, seed: int, dataset: str | None) -> float:
    """Train and return the test error in percent, with the weights that the recipe is for."""
    from keras_bc.evaluation import evaluate
    from keras_bc.training import train

    with tempfile.TemporaryDirectory(prefix="keras_bc-") as folder:
        path = Path(folder) / "model.keras"
        train(recipe, path, epochs=epochs, seed=seed, dataset=dataset, quiet=True)
        model = models.load(path)
    data = datasets.load(dataset or recipe.dataset)
    return evaluate(model, data.test.x, data.test.y, recipe.weights, data.train.x)["error"]


@click.command(help=__doc__.splitlines()[0])
@click.option("--recipe", "name", default="mnist-few-ternary-qbp", show_default=True)
@click.option("--epochs", type=click.IntRange(1), default=3, show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=2, show_default=True)
@click.option("--shifts", type=click.IntRange(0), multiple=True, default=SHIFTS, show_default=True)
@click.option("--dataset", metavar="NAME|FILE.npz", help="Instead of the recipe's.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=RESULTS)
def main(name, epochs, seeds, shifts, dataset, output):
    import_tensorflow()
    rows = []
    try:
        recipe = recipes.find(name)
        if limited(recipe, None) == recipe:
            raise UserError(f"The recipe '{name}' has no quantized back-propagation.")
        jobs = [(seed, most) for seed in range(seeds) for most in (*shifts, None)]
        with console.counting("trainings", len(jobs)) as progress:
            for seed, most in jobs:
                error = measure(limited(recipe, most), epochs, seed, dataset)
                rows.append({"shifts": most, "seed": seed, "test_error": error})
                progress(len(rows))
        result = {"recipe": name, "weights": recipe.weights, "epochs": epochs, "rows": rows}
        files.write_text(output, json.dumps(result, indent=2) + "\n")
    except UserError as error:
        raise click.ClickException(str(error)) from error
    shown = [{**row, "shifts": _text(row["shifts"])} for row in rows]
    console.table(
        f"{name}, {epochs} epochs: test error in percent, {recipe.weights} weights", shown
    )


def _text(shifts: int | None) -> str:
    return "no quantization" if shifts is None else f"up to {shifts}"


if __name__ == "__main__":
    main()
