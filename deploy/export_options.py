"""How a model is to be exported."""

from dataclasses import dataclass

from keras_bc.deploy.c_text import check_namespace
from keras_bc.deploy.calibrate.methods import DEFAULT, find_method
from keras_bc.errors import UserError


@dataclass(frozen=True)
class Options:
    """What a user may choose of an export.

    Attributes:
        calibration: How the ranges of int8 are chosen: "minmax", "mse", "percentile" or
            "percentile:P"; see `keras_bc.deploy.calibrate.methods`.
        activations: "int8", or "float32" for a model that computes in floating point, with packed
            weights and no C sources.
        keep_float: Names of layers that compute in floating point in a model of int8. Where there
            is no kernel in C for one, the model has no C sources.
        c_only: Leave the `.tflite` out.
        namespace: Prefix of the C sources, their functions and their constants.
        const_in_flash: Whether the C sources insist on flash for all that is constant; see
            `c_source.emit`.
        ram_limit: Bytes that the arena of the C sources may take at most; less than the fastest
            way needs costs instructions. A board's build has a limit of its own.
    """

    calibration: str = DEFAULT
    activations: str = "int8"
    keep_float: tuple[str, ...] = ()
    c_only: bool = False
    namespace: str = "model"
    const_in_flash: bool = False
    ram_limit: int | None = None

    def check(self) -> None:
        """Stop with a UserError where they make no sense, before anything that takes time."""
        check_namespace(self.namespace)
        find_method(self.calibration)
        if self.activations not in ("int8", "float32"):
            raise UserError(
                f"Activations cannot be {self.activations!r}; expected 'int8' or 'float32'."
            )
        if self.activations == "float32" and self.keep_float:
            raise UserError(
                "With activations of float32 all layers stay in floating point; leave out those "
                "to keep so."
            )
        if self.c_only and self.activations == "float32":
            raise UserError(
                "A model of float32 has no C sources. Export it without --c-only, to run it with "
                "TensorFlow Lite, or keep single layers in floating point."
            )
