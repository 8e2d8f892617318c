"""The test errors measured with the recipes, of which benchmarks/train.py writes a file a run."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from keras_bc.recipes import RECIPES, Recipe, find

_HERE = Path(__file__).parent
_FOLDERS = (_HERE / "measurements", _HERE.parent / "benchmarks" / "results")
"""In an installed wheel, and in a checkout."""

_EXPERIMENT = (
    *("dataset", "input_shape", "layers", "optimizer", "learning_rates", "batch_size"),
    *("halve_every", "glorot_scaled", "weights"),
)
"""What makes a recipe another experiment when it changes; the epochs are told beside the error."""


@dataclass(frozen=True)
class Measured:
    """A test error.

    Attributes:
        error: In percent.
        weights: With which it was measured.
        epochs: Of the training.
    """

    error: float
    weights: str
    epochs: int


def best_measured(name: str) -> Measured | None:
    """Return the least test error measured with the recipe `name` and the weights that it is for.

    Raises:
        UserError: There is no such recipe.
    """
    return _best(find(name), runs())


def listing() -> list[dict]:
    """Return a row for each recipe: what it is, and its published and best measured error."""
    known = runs()
    rows = []
    for recipe in RECIPES.values():
        best = _best(recipe, known)
        rows.append(
            {
                "recipe": recipe.name,
                "summary": recipe.summary,
                "epochs": recipe.epochs,
                "weights": recipe.weights,
                "published": recipe.published_error or None,
                "measured": best and best.error,
                "measured_epochs": best and best.epochs,
            }
        )
    return rows


def runs(folder: Path | None = None) -> list[dict]:
    """Return what benchmarks/train.py wrote of each training, in the order of the files' names.

    Args:
        folder: Instead of the one that comes with the library.
    """
    folder = folder or next(filter(Path.is_dir, _FOLDERS), None)
    paths = sorted(folder.glob("*.json")) if folder else []
    contents = [json.loads(path.read_text()) for path in paths]
    return [content for content in contents if "recipe" in content and "settings" in content]


def is_of(recipe: Recipe, run: dict) -> bool:
    """Return whether a run trained this recipe as it is today, be it for fewer epochs."""
    today = json.loads(json.dumps(asdict(recipe)))  # tuples become lists
    settings = run["settings"]
    same = (settings.get(key) == today[key] for key in _EXPERIMENT)
    return run["recipe"] == recipe.name and all(same)


def _best(recipe: Recipe, known: list[dict]) -> Measured | None:
    errors = [
        Measured(run[f"test_error_{recipe.weights}"], recipe.weights, run["epochs"])
        for run in known
        if is_of(recipe, run)
    ]
    return min(errors, key=lambda measured: measured.error, default=None)
