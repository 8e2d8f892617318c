"""The whole path in one go: train, export, run on the host and on emulated boards."""

from pathlib import Path

from keras_bc import checkpoint, console, datasets, models, recipes, training
from keras_bc.deploy import boards, export, verify, workspace
from keras_bc.errors import UserError
from keras_bc.evaluation import evaluate

RECIPE, FALLBACK = "mnist-mlp-small", "digits-mlp"

BOARDS = {"mps2-an386": None, "mps2-an385": 1000, "microbit": 1000, "netduinoplus2": 1000}
"""How many test samples each board runs; None means all."""


def run(folder: Path, short: bool = False) -> dict:
    """Train the demo's recipe, export it, and measure it everywhere.

    Args:
        folder: Where the model and its export go.
        short: Train one epoch and run 50 samples a board: does it all work?

    Returns:
        `{"recipe", "dataset", "folder", "rows"}`; a row says where the network ran, on how many
        samples, its error in percent, outputs that differ from the host's, and its cost.

    Raises:
        UserError: A tool is missing, or the folder is not ours.
    """
    recipe, data = _recipe_and_data()
    keras_file, exported = folder / f"{recipe.name}.keras", folder / "export"
    workspace.claim(folder, [keras_file.name, exported.name])
    console.say(f"Training {recipe.name}: {recipe.summary}")
    epochs = 1 if short else None
    checkpoint.path_of(keras_file).unlink(missing_ok=True)  # of a demo that was stopped
    training.train(recipe, keras_file, epochs, quiet=console.quiet)
    network = models.load(keras_file)
    console.say(f"Exporting to {exported}")
    written = export.export(network, export.calibration_samples(network), exported)
    test = data.test.head(50 if short else None)
    rows = [
        _row("Keras, one-bit weights", evaluate(network, test.x, test.y)),
        _row(".tflite on the host", verify.evaluate(exported, test.x, test.y))
        | {"bytes": written.tflite_bytes},
    ]
    for name, samples in BOARDS.items():
        part = test.head(samples)
        with console.counting(f"Emulating {name}", len(part)) as progress:
            result = verify.emulate(exported, boards.find(name), part.x, part.y, True, progress)
        rows.append(_row(f"firmware on {name}", result) | {"bytes": result["flash_bytes"]})
    return {"recipe": recipe.name, "dataset": data.name, "folder": str(folder), "rows": rows}


def _recipe_and_data() -> tuple[recipes.Recipe, datasets.Data]:
    recipe = recipes.find(RECIPE)
    try:
        return recipe, datasets.load(recipe.dataset)
    except UserError as error:
        recipe = recipes.find(FALLBACK)
        console.say(f"{error}\nGoing on with {recipe.name}.")
        return recipe, datasets.load(recipe.dataset)


def _row(where: str, result: dict) -> dict:
    return {
        "where": where,
        "samples": result["samples"],
        "error_%": result["error"],
        "differ": result.get("mismatches"),
        "bytes": None,
        "code": result.get("code_bytes"),
        "ram": result.get("ram_bytes"),
        "instructions": result.get("instructions"),
    }
