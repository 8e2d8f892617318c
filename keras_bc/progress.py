"""What a person sees of a training: a bar in a terminal, a line an epoch elsewhere, on stderr."""

import contextlib
import sys

import keras


class Progress:
    """Shows the epochs of one training.

    Args:
        epochs: How many there are.
        steps: In each.
        quiet: Show nothing.
    """

    def __init__(self, epochs: int, steps: int, quiet: bool = False):
        self._epochs, self._steps, self._quiet = epochs, steps, quiet

    @contextlib.contextmanager
    def epoch(self, epoch: int):
        """Show epoch number `epoch` (from 0) while the block runs; yields callbacks for `fit`."""
        if self._quiet or not sys.stderr.isatty():
            yield []
            return
        with _bar() as bar:
            task = bar.add_task(f"epoch {epoch + 1}/{self._epochs}", total=self._steps)
            step = lambda batch, logs: bar.advance(task)  # an epoch may be fitted in parts
            yield [keras.callbacks.LambdaCallback(on_train_batch_end=step)]

    def done(self, epoch: int, text: str) -> None:
        """Say how epoch number `epoch` (from 0) went."""
        if not self._quiet:
            print(f"epoch {epoch + 1}/{self._epochs}  {text}", file=sys.stderr, flush=True)


def _bar():
    from rich.console import Console
    from rich.progress import Progress as Bar

    return Bar(console=Console(stderr=True), transient=True)
