"""What layers that draw have in common: a seed, and a counter that is saved with them."""

import random

from keras import ops

from keras_bc import draws


class Drawing:
    """Mixin, to stand before a Keras layer: gives it uniform draws, fresh ones each training call.

    Args:
        seed: Integer. By default taken from Python's `random`, which
            `keras.utils.set_random_seed` seeds, and then saved with the layer. The draws depend
            on the layer's name too: layers of different names draw differently even with the same
            seed, and who wants the same draws again in one process gives the layer a name, since
            Keras numbers its own on and on. Layers of the same name and seed in two models, nested
            ones too, draw the same.
    """

    def __init__(self, *args, seed=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.seed = random.randrange(2**31) if seed is None else seed
        self.stream_name = None
        """Instead of the layer's name, where that is not saved."""
        self._draw_counter = None

    def add_draw_counter(self) -> None:
        """Add the weight that counts the training calls; to be called by `build`."""
        self._draw_counter = self.add_weight(
            name="draw_counter",
            shape=(),
            initializer="zeros",
            dtype="int",  # machines cannot send each other unsigned ones
            trainable=False,
            aggregation="only_first_replica",
        )

    def uniform_like(self, tensor, purpose: str = ""):
        """Return this training call's uniform numbers in [0, 1), of the shape of `tensor`.

        Args:
            tensor: Its dimensions may be unknown until it runs.
            purpose: Tells apart what one call draws for.
        """
        return draws.uniform(ops.shape(tensor), self.stream(purpose), self._draw_counter.value)

    def stream(self, purpose: str = "") -> int:
        """Return the stream of the draws for one purpose."""
        name = self.stream_name or self.name
        return draws.stream(self.seed, f"{name}/{purpose}" if purpose else name)

    def count_draw(self) -> None:
        """Go on to the next training call's numbers."""
        if self._draw_counter is not None:
            self._draw_counter.assign_add(1)

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
