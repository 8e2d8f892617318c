"""Windows that slide over images, as the convolutions and poolings of every step see them."""

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class Window:
    """A window that slides over an image; taps outside of the image are absent.

    The fields are those of `kbc_window`, in its order.
    """

    height: int
    width: int
    stride_height: int = 1
    stride_width: int = 1
    dilation_height: int = 1
    dilation_width: int = 1
    pad_top: int = 0
    pad_left: int = 0
    pad_bottom: int = 0
    pad_right: int = 0

    @property
    def reach(self) -> tuple[int, int]:
        """Pixels from the first tap to the last, (rows, columns)."""
        rows = (self.height - 1) * self.dilation_height + 1
        columns = (self.width - 1) * self.dilation_width + 1
        return rows, columns

    @property
    def overlaps(self) -> bool:
        """True where a pixel can belong to two positions."""
        rows, columns = self.reach
        return self.stride_height < rows or self.stride_width < columns

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Positions of the window on an image of `height` x `width`."""
        rows = height + self.pad_top + self.pad_bottom - self.reach[0]
        columns = width + self.pad_left + self.pad_right - self.reach[1]
        return rows // self.stride_height + 1, columns // self.stride_width + 1


IDENTITY = Window(1, 1)


def window_for(
    padding: str,
    image: tuple[int, int],
    size: tuple[int, int],
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
) -> Window:
    """The window whose padding "same" or "valid" is worked out, as TensorFlow does.

    "same" makes ceil(image / stride) positions and puts the odd pixel at the bottom and the right;
    "valid" pads nothing.
    """
    (top, bottom), (left, right) = (
        _pads(*axis) if padding.lower() == "same" else (0, 0)
        for axis in zip(image, size, stride, dilation, strict=True)
    )
    return Window(*size, *stride, *dilation, top, left, bottom, right)


def _pads(image: int, size: int, stride: int, dilation: int) -> tuple[int, int]:
    positions = -(-image // stride)
    total = max((positions - 1) * stride + (size - 1) * dilation + 1 - image, 0)
    return total // 2, total - total // 2


def spread(x: np.ndarray, dilation: tuple[int, int]) -> np.ndarray:
    """An image `[n, h, w, c]` with its pixels moved apart, zeros between them.

    Args:
        x: The image.
        dilation: How many rows and columns one pixel lies from the next.
    """
    rows, columns = dilation
    n, height, width, channels = x.shape
    if (rows, columns) == (1, 1):
        return x
    y = np.zeros((n, (height - 1) * rows + 1, (width - 1) * columns + 1, channels), x.dtype)
    y[:, ::rows, ::columns] = x
    return y


def patches(x: np.ndarray, window: Window, absent: float) -> np.ndarray:
    """Every position's taps.

    Args:
        x: `[n, height, width, channels]`.
        window: What slides over it.
        absent: The value of a tap outside of the image.

    Returns:
        `[n, out_height, out_width, kernel_height, kernel_width, channels]`, of x's type.
    """
    rows, columns = (window.pad_top, window.pad_bottom), (window.pad_left, window.pad_right)
    x = np.pad(x, [(0, 0), rows, columns, (0, 0)], constant_values=absent)
    taps = np.lib.stride_tricks.sliding_window_view(x, window.reach, axis=(1, 2))
    taps = taps[:, :: window.stride_height, :: window.stride_width]
    taps = taps[..., :: window.dilation_height, :: window.dilation_width]
    return np.moveaxis(taps, 3, 5)


def convolve(taps: np.ndarray, weights: np.ndarray, groups: int) -> np.ndarray:
    """The sums of a grouped convolution.

    Args:
        taps: `[n, h, w, kh, kw, c]`, as `patches` gives them.
        weights: `[out, kh, kw, c / groups]`.
        groups: How many; each joins c / groups inputs with out / groups outputs.

    Returns:
        `[n, h, w, out]`.
    """
    n, h, w, kh, kw, c = taps.shape
    grouped = taps.reshape(n, h, w, kh * kw, groups, c // groups).transpose(4, 0, 1, 2, 3, 5)
    rows = grouped.reshape(groups, n * h * w, -1)
    columns = weights.reshape(groups, len(weights) // groups, -1).transpose(0, 2, 1)
    sums = rows @ columns
    return sums.transpose(1, 0, 2).reshape(n, h, w, len(weights))


def to_options(prefix: str, window: Window) -> dict[str, int]:
    """The window as options of an integer op: `kernel_h`, `kernel_stride_h`, ..."""
    return {key: getattr(window, field) for field, key in _keys(prefix).items()}


def from_options(prefix: str, options: dict) -> Window:
    """The window that `to_options` wrote."""
    return Window(**{field: options[key] for field, key in _keys(prefix).items()})


def input_dilation(options: dict) -> tuple[int, int]:
    """How far apart a convolution moves the rows and columns of its input: by default, not."""
    return options.get("input_dilation_h", 1), options.get("input_dilation_w", 1)


def _keys(prefix: str) -> dict[str, str]:
    names = [field.name for field in fields(Window)]
    if prefix == "pool":  # a pooling has no dilation
        names = [name for name in names if "dilation" not in name]
    return {name: f"{prefix}_{name.replace('height', 'h').replace('width', 'w')}" for name in names}
