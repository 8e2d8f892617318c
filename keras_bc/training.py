"""Train a recipe: exponential rate decay, the best epoch kept, resumable after any kill."""

import contextlib
import dataclasses
import json
import math
import time
from pathlib import Path

import numpy as np

from keras_bc import checkpoint, curves, datasets, distribution, files, models, recipes
from keras_bc.batch_norm import reestimate_batch_norm
from keras_bc.errors import UserError
from keras_bc.evaluation import inference_weights, measure_error
from keras_bc.progress import Progress

VALIDATION_STATISTICS = 5_000
"""On how many training examples batch norm is re-estimated before each validation."""

FIT_EXAMPLES = 50_000
"""How many examples Keras is given at a time: whole batches, at most as many."""


def train(
    recipe: recipes.Recipe | str,
    output: str | Path,
    epochs: int | None = None,
    resume: bool = False,
    dataset: str | None = None,
    seed: int = 0,
    quiet: bool = False,
) -> dict:
    """Train a recipe and save the model of its best epoch, ready to be deployed.

    After each epoch batch norm is re-estimated on the first training examples with the recipe's
    inference weights, and the validation error measured; the epoch with the lowest (the first of
    equals) is kept. At the end batch norm is re-estimated on all training examples with the
    deployed weights. A run that is killed and resumed gives, bit for bit, the result of one that is
    not, on the same machine with the same number of threads.

    Several devices or machines share each batch, as `keras_bc.distribution` says. Each machine runs
    this; all validate, and the first one writes the files.

    Args:
        recipe: A recipe or its name.
        output: The `.keras` file to write. Beside it come `.history.json`, the returned history,
            and `.png`, its curves; of a preprocessed data set also `.preprocessing.keras`, which is
            what makes the model's input from raw images, float32 `(n, h, w, c)` from 0 to 255;
            while the training runs, also `.resume.npz`, its state.
        epochs: Instead of the recipe's; the rate's decay is spread over as many.
        resume: Go on from the state that a killed run of the same settings left.
        dataset: Instead of the recipe's: a name or a `.npz` file.
        seed: Of the initial weights, of the order of the examples and of the draws; from 0 to
            2^32 - 1.
        quiet: Show no progress.

    Returns:
        The history: settings, `loss`, `validation_error` and `seconds` by epoch, `best_epoch` (from
        1) and `best_validation_error`; errors in percent.

    Raises:
        UserError: An argument or the data set does not fit, the state is another training's, the
            loss is not finite, or a file cannot be written.
    """
    recipe = recipes.find(recipe) if isinstance(recipe, str) else recipe
    output, epochs = Path(output), recipe.epochs if epochs is None else epochs
    _check(output, epochs, seed)
    devices = distribution.find_devices(recipe.batch_size)
    if devices.is_chief:
        _check_ours(output)
        files.check_writable(output)
    data = datasets.load(dataset or recipe.dataset)
    with devices.scope():
        run = _Run(recipe, data, output, epochs, seed, devices)
        if resume:
            run.resume()
        elif run.state.exists():
            raise UserError(
                f"{run.state} is an unfinished training. Add --resume to go on with it, or delete "
                "it."
            )
        quiet = quiet or not devices.is_chief
        progress = Progress(epochs, math.ceil(len(data.train) / recipe.batch_size), quiet)
        for epoch in range(len(run.history["loss"]), epochs):
            run.epoch(epoch, progress)
    # Outside: in the scope of several machines what Keras makes for a moment, in order to save a
    # model, would wait for the others.
    history = run.finish()
    devices.meet()
    return history


class _Run:
    """One training: its model, its data, its history and the best weights so far."""

    def __init__(self, recipe, data, output, epochs, seed, devices):
        self.recipe, self.data, self.output = recipe, data, output
        self.epochs, self.seed = epochs, seed
        self.state = checkpoint.path_of(output)
        self.model = recipes.build(recipe, seed, models.name_of(recipe, data.name))
        self.fit, self.is_chief = devices.fit_function(self.model), devices.is_chief
        classes = self.model.output_shape[-1]
        if data.classes > classes:
            raise UserError(
                f"The data set '{data.name}' has {data.classes} classes, but the recipe "
                f"'{recipe.name}' has {classes} outputs. Expected at most as many classes."
            )
        self.train_x = datasets.fit_shape(data.train.x, recipe.input_shape)
        self.validation_x = datasets.fit_shape(data.validation.x, recipe.input_shape)
        self.targets = recipes.targets(data.train.y, classes)
        self.best = []
        self.history = {
            **self._settings(),
            "weights": recipe.weights,
            "loss": [],
            "validation_error": [],
            "seconds": [],
        }

    def epoch(self, epoch: int, progress: Progress) -> None:
        """Train one epoch, validate, keep it if it is the best, and save the state."""
        start = time.monotonic()
        rate = self.recipe.learning_rate(epoch, self.epochs)
        with progress.epoch(epoch) as callbacks:
            loss = self._fit(epoch, rate, callbacks)
        if not math.isfinite(loss):
            raise UserError(
                f"The loss is {loss} in epoch {epoch + 1}. Look for extreme values in the data "
                "set: they are expected within about [-1, 1]."
            )
        error = self._validate()
        seconds = time.monotonic() - start
        self._record(epoch, loss, error, seconds)
        progress.done(
            epoch,
            f"loss {loss:.4f}  validation error {error:.2f} %  rate {rate:.1e}  {seconds:.1f} s",
        )

    def _fit(self, epoch, rate, callbacks):
        # The order depends on the seed and the epoch alone, so that a resumed run has it too.
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.train_x))
        self.model.optimizer.learning_rate = rate
        # Keras copies what it is given, which for all of SVHN would take 30 GB.
        batch = self.recipe.batch_size
        size = batch * max(FIT_EXAMPLES // batch, 1)
        parts = [order[start : start + size] for start in range(0, len(order), size)]
        losses = [
            self.fit(self.train_x[part], self.targets[part], batch, callbacks) for part in parts
        ]
        return float(np.average(losses, weights=[len(part) for part in parts]))

    def _validate(self):
        with inference_weights(self.model, self.recipe.weights):
            reestimate_batch_norm(self.model, self.train_x[:VALIDATION_STATISTICS])
            return measure_error(self.model, self.validation_x, self.data.validation.y)

    def _record(self, epoch, loss, error, seconds):
        history = self.history
        if error < history.get("best_validation_error", math.inf):
            history.update(best_epoch=epoch + 1, best_validation_error=error)
            self.best = checkpoint.model_weights(self.model)
        history["loss"].append(loss)
        history["validation_error"].append(error)
        history["seconds"].append(round(seconds, 2))
        if self.is_chief:
            checkpoint.save(self.state, self.model, self.best, history)

    def resume(self) -> None:
        """Take up the saved state.

        Raises:
            UserError: It is of other settings, or cannot be read.
        """
        self.best, history = checkpoint.load(self.state, self.model)
        saved = _decisive(history)
        for key, value in _decisive(self.history).items():
            if saved.get(key) != value:
                raise UserError(
                    f"{self.state} is of a training with another {key} ({saved.get(key)!r}, not "
                    f"{value!r}). Resume with the same settings, or delete it to start anew."
                )
        self.history = history | self._settings()

    def finish(self) -> dict:
        """Save the best epoch's model for deployment, its preprocessing, history and curves."""
        checkpoint.assign(self.model, self.best)
        reestimate_batch_norm(self.model, self.train_x)
        if self.is_chief:
            self._save()
        return self.history

    def _save(self):
        with files.replacing(self.output) as partial:
            self.model.save(partial)
        self._save_preprocessing(_preprocessing_file(self.output))
        history = json.dumps(self.history, indent=2) + "\n"
        files.write_text(models.history_file(self.output), history)
        curves.plot(self.history, _curves_file(self.output))
        with contextlib.suppress(FileNotFoundError):
            self.state.unlink()

    def _save_preprocessing(self, path):
        """Write the data set's preprocessing, or delete what an earlier training left there."""
        if self.data.preprocessing is None:
            path.unlink(missing_ok=True)
            return
        with files.replacing(path) as partial:
            self.data.preprocessing.save(partial)

    def _settings(self):
        """The head of the history: what is trained, and how."""
        settings = json.loads(json.dumps(dataclasses.asdict(self.recipe)))
        return {
            "recipe": self.recipe.name,
            "dataset": self.data.name,
            "examples": len(self.data.train),
            "epochs": self.epochs,
            "seed": self.seed,
            "settings": settings,
        }


def _decisive(history: dict) -> dict:
    """What a resumed run must have in common with the one that it goes on with.

    That is all settings but those for people to read, and what was given instead of the recipe's.
    """
    words = ("name", "summary", "reference", "published_error")
    given = ("dataset", "examples", "epochs", "seed")
    settings = {key: value for key, value in history["settings"].items() if key not in words}
    return settings | {key: history[key] for key in given}


def _check(output: Path, epochs: int, seed: int) -> None:
    """Stop before the training where something would only fail after it."""
    if output.suffix != ".keras":
        raise UserError(f"Cannot save the model as {output}. Expected a name that ends in .keras.")
    if not output.parent.is_dir():
        raise UserError(f"There is no folder {output.parent}. Create it, or choose another output.")
    if not isinstance(epochs, int) or epochs < 1:
        raise UserError(f"Cannot train for {epochs} epochs. Expected 1 or more.")
    if not 0 <= seed < 2**32:
        raise UserError(f"Cannot train with the seed {seed}. Expected 0 to {2**32 - 1}.")


def _check_ours(output: Path) -> None:
    """Stop where files that no training wrote have the names of those that this one will write."""
    history = models.history_file(output)
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        json.loads(history.read_text())["recipe"]
        return  # an earlier training's, which this one replaces
    for path in (output, _preprocessing_file(output), history, _curves_file(output)):
        if path.is_file():
            raise UserError(
                f"{path} is in the way, and no training wrote it. Move it, or choose another "
                "output."
            )


def _preprocessing_file(output: Path) -> Path:
    return output.with_suffix(".preprocessing.keras")


def _curves_file(output: Path) -> Path:
    return output.with_suffix(".png")
