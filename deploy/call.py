"""One call of a kernel of the C library."""

from ctypes import Structure
from dataclasses import dataclass, field

import numpy as np

from keras_bc.deploy.graph import Op


@dataclass(frozen=True)
class Call:
    """One call of a kernel: a layer of the model.

    Attributes:
        op: What it computes.
        kernel: The family in kernels.def, such as "fully_connected_s8"; the C function without
            its prefix and its variant.
        params: Its parameters, with null pointers.
        constants: What its pointers point to, by field. Weights are in the .tflite's layout.
        macs: Multiply-accumulates of one inference, taps in the padding included.
        gathers: Whether the function takes its inputs as one array of pointers.
        functions: The functions of kbc.h that its parameters name, by field.
    """

    op: Op
    kernel: str
    params: Structure
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    macs: int = 0
    gathers: bool = False
    functions: dict[str, str] = field(default_factory=dict)

    @property
    def takes_shortcut(self) -> bool:
        """Whether the kernel has an argument for a tensor that is added, which may be NULL."""
        return "function" in self.functions
