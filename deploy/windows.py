"""Windows that slide over images, as the convolutions and poolings of every step see them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Window:
    """A window's size, steps and the padding around its image, each `(height, width)`.

    Attributes:
        size: Taps.
        stride: Pixels from one position to the next.
        dilation: Pixels from one tap to the next.
        before: Padding at the top and at the left.
        after: Padding at the bottom and at the right.
    """

    size: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    before: tuple[int, int] = (0, 0)
    after: tuple[int, int] = (0, 0)

    def positions(self, image: tuple[int, int]) -> tuple[int, int]:
        """How many positions the window takes on an `image` of `(height, width)`."""
        reach = [(k - 1) * d + 1 for k, d in zip(self.size, self.dilation, strict=True)]
        return tuple(
            (n + b + a - r) // s + 1
            for n, b, a, r, s in zip(
                image, self.before, self.after, reach, self.stride, strict=True
            )
        )

    @property
    def is_identity(self) -> bool:
        """True for one tap on every pixel."""
        return self == Window((1, 1))


def padding_for(
    padding: str,
    image: tuple[int, int],
    size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int] = (1, 1),
) -> Window:
    """The window with its padding worked out, as TensorFlow does.

    "same" makes ceil(image / stride) positions and puts the odd pixel at the bottom and right;
    "valid" pads nothing.
    """
    if padding.lower() == "valid":
        return Window(size, stride, dilation)
    totals = [
        max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        for n, k, s, d in zip(image, size, stride, dilation, strict=True)
    ]
    before = tuple(total // 2 for total in totals)
    after = tuple(total - b for total, b in zip(totals, before, strict=True))
    return Window(size, stride, dilation, before, after)


def patches(x: np.ndarray, window: Window, absent: float) -> np.ndarray:
    """Every position's taps.

    Args:
        x: `[n, height, width, channels]`.
        window: What slides over it.
        absent: The value of a tap outside of the image.

    Returns:
        `[n, out_height, out_width, kernel_height, kernel_width, channels]`, of x's type.
    """
    padding = [(0, 0), *zip(window.before, window.after, strict=True), (0, 0)]
    x = np.pad(x, padding, constant_values=absent)
    reach = [(k - 1) * d + 1 for k, d in zip(window.size, window.dilation, strict=True)]
    taps = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(1, 2))
    taps = taps[:, :: window.stride[0], :: window.stride[1]]
    taps = taps[..., :: window.dilation[0], :: window.dilation[1]]
    return np.moveaxis(taps, 3, 5)


def to_options(prefix: str, window: Window) -> dict[str, int]:
    """The window as options of an integer op: `kernel_h`, `kernel_stride_h`, ..."""
    options = {
        f"{prefix}_h": window.size[0],
        f"{prefix}_w": window.size[1],
        f"{prefix}_stride_h": window.stride[0],
        f"{prefix}_stride_w": window.stride[1],
        f"{prefix}_pad_top": window.before[0],
        f"{prefix}_pad_left": window.before[1],
        f"{prefix}_pad_bottom": window.after[0],
        f"{prefix}_pad_right": window.after[1],
    }
    if prefix == "kernel":
        options["kernel_dilation_h"], options["kernel_dilation_w"] = window.dilation
    return options


def from_options(prefix: str, options: dict) -> Window:
    """The window that `to_options` wrote."""
    return Window(
        (options[f"{prefix}_h"], options[f"{prefix}_w"]),
        (options[f"{prefix}_stride_h"], options[f"{prefix}_stride_w"]),
        (options.get(f"{prefix}_dilation_h", 1), options.get(f"{prefix}_dilation_w", 1)),
        (options[f"{prefix}_pad_top"], options[f"{prefix}_pad_left"]),
        (options[f"{prefix}_pad_bottom"], options[f"{prefix}_pad_right"]),
    )
