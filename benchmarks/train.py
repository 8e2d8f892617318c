"""Train recipes and write down what came of it: `benchmarks/results/RECIPE.json` and its curves.

    python benchmarks/train.py mnist-mlp-short mnist-mlp-short-stochastic
    python benchmarks/train.py mnist-mlp --epochs 60

Each test error is measured with the deployed and with the real weights, and where weights are drawn
with the mean of several networks, each with batch-norm statistics that fit them. A run that was
killed goes on with `--resume`.
"""

import importlib
import json
import os
import platform
import shutil
from pathlib import Path

import click
import keras
import numpy

from keras_bc import datasets, files, recipes
from keras_bc.errors import UserError
from keras_bc.evaluation import evaluate
from keras_bc.training import train
from keras_bc.traversal import quantized

RESULTS = Path(__file__).parent / "results"
ENSEMBLE = "ensemble:16"

STATISTICS = {"real": None, ENSEMBLE: 10_000}
"""Examples that batch norm is re-estimated on, for each network; None for all of the training's."""

IMAGE_STATISTICS = {"real": 10_000, ENSEMBLE: 2_000}
"""The same where layers see images: an example is many positions then, and a pass takes longer."""


@click.command(help=__doc__.splitlines()[0])
@click.argument("names", nargs=-1, required=True, metavar="RECIPE...")
@click.option("--epochs", type=int, help="Instead of the recipe's.")
@click.option("--resume", is_flag=True, help="Go on with runs that were killed.")
@click.option("--models", type=click.Path(path_type=Path), default=Path("runs"), show_default=True)
def main(names, epochs, resume, models):
    models.mkdir(exist_ok=True)
    for name in names:
        output = models / f"{name}.keras"
        try:
            history = train(name, output, epochs=epochs, resume=resume)
        except UserError as error:
            raise click.ClickException(str(error)) from error
        result = measure(recipes.find(name), output, history)
        files.write_text(RESULTS / f"{name}.json", json.dumps(result, indent=2) + "\n")
        shutil.copyfile(output.with_suffix(".png"), RESULTS / f"{name}.png")
        click.echo(json.dumps(result, indent=2))


def measure(recipe: recipes.Recipe, path: Path, history: dict) -> dict:
    """Return the settings, the test errors and the circumstances of a trained recipe."""
    model = keras.models.load_model(path)
    data = datasets.load(recipe.dataset)
    statistics = IMAGE_STATISTICS if len(model.input_shape) == 4 else STATISTICS

    def error(weights: str) -> dict:
        sample = data.train.x[: statistics[weights]]
        return evaluate(model, data.test.x, data.test.y, weights, train_x=sample)

    deployed = evaluate(model, data.test.x, data.test.y)
    real = error("real")
    drawn = any(layer.kernel_quantizer.draws for layer in quantized(model))
    ensemble = {}
    if drawn:
        ensemble = {"test_error_ensemble": error(ENSEMBLE)["error"], "ensemble": ENSEMBLE}
    return {
        "recipe": recipe.name,
        "summary": recipe.summary,
        "published_error": recipe.published_error,
        "reference": recipe.reference,
        "test_error_deployed": deployed["error"],
        "test_error_real": real["error"],
        **ensemble,
        "test_samples": deployed["samples"],
        "epochs": history["epochs"],
        "best_epoch": history["best_epoch"],
        "best_validation_error": history["best_validation_error"],
        "chosen_by": f"validation error with {history['weights']} weights",
        "seed": history["seed"],
        "training_seconds": round(sum(history["seconds"])),
        "cores": len(os.sched_getaffinity(0)),
        "backend": keras.backend.backend(),
        "devices": keras.distribution.list_devices(),
        "versions": {
            "python": platform.python_version(),
            keras.backend.backend(): importlib.import_module(keras.backend.backend()).__version__,
            "keras": keras.__version__,
            "numpy": numpy.__version__,
        },
        "settings": history["settings"],
        "loss": [round(value, 6) for value in history["loss"]],
        "validation_error": history["validation_error"],
    }


if __name__ == "__main__":
    main()
