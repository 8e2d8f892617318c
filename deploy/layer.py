"""What an emitted model does, in order: calls of kernels, each in the variant that was chosen."""

from dataclasses import dataclass

import numpy as np

from keras_bc.deploy import kernels, layouts
from keras_bc.deploy.call import Call


@dataclass(frozen=True)
class Layer:
    """A call, and the kernel variant that computes it.

    Attributes:
        call: What is computed.
        kernel: The row of the kernel table.
        scratch_bytes: What the kernel works in; None where it takes no scratch.
        cpu: What it was chosen for, as the compiler names it.
    """

    call: Call
    kernel: kernels.Variant
    scratch_bytes: int | None
    cpu: str = "any"

    @property
    def name(self) -> str:
        """The Keras layer."""
        return self.call.op.name

    @property
    def kind(self) -> str:
        """The op of the integer graph."""
        return self.call.op.kind

    @property
    def variant(self) -> str:
        """The kernel variant's name."""
        return self.kernel.name

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        return self.call.macs

    @property
    def output(self) -> str:
        """The tensor that it writes."""
        return self.call.op.outputs[0]

    def constants(self) -> dict[str, np.ndarray]:
        """The arrays that the parameters point to, weights in the layout that the kernel wants."""
        constants = dict(self.call.constants)
        if "weights" in constants:
            constants["weights"] = layouts.pack(
                self.kernel.layout, constants["weights"], self.call.params
            )
        return constants


@dataclass(frozen=True)
class Step:
    """One layer, or two that are run in bands of rows, so that what is between them stays small.

    Attributes:
        layers: One, or two of which the second alone reads what the first writes.
        bands: In how many bands the second one's output is made.
    """

    layers: tuple[Layer, ...]
    bands: int = 1

    @property
    def output(self) -> str:
        """The tensor that it writes and that is whole at its end."""
        return self.layers[-1].output

    @property
    def name(self) -> str:
        """The Keras layers."""
        return self._joined("name")

    @property
    def kind(self) -> str:
        """The ops of the integer graph."""
        return self._joined("kind")

    @property
    def variant(self) -> str:
        """The kernels' variants."""
        return self._joined("variant")

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference; rows that two bands need count once."""
        return sum(layer.macs for layer in self.layers)

    def _joined(self, attribute: str) -> str:
        return " + ".join(getattr(layer, attribute) for layer in self.layers)
