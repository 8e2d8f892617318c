"""Layers that slide over images, cut them or enlarge them; sequences are images of one row."""

from keras import layers

from keras_bc.deploy.graph import Tensor
from keras_bc.deploy.trace.shapes import as_image, as_sequence, reshape
from keras_bc.deploy.trace.tracer import Tracer, check_channels_last
from keras_bc.deploy.windows import IDENTITY, Window, window_for
from keras_bc.errors import UserError


def _pool_2d(kind: str):
    def handler(tracer: Tracer, layer, x: Tensor) -> Tensor:
        check_channels_last(layer)
        window = window_for(layer.padding, x.shape[1:3], layer.pool_size, layer.strides)
        return _pool(tracer, layer, kind, x, window)

    return handler


def _pool_1d(kind: str):
    def handler(tracer: Tracer, layer, x: Tensor) -> Tensor:
        check_channels_last(layer)
        image = as_image(tracer, layer, x)
        size, stride = (1, layer.pool_size[0]), (1, layer.strides[0])
        window = window_for(layer.padding, image.shape[1:3], size, stride)
        return as_sequence(tracer, layer, _pool(tracer, layer, kind, image, window))

    return handler


def _global_pool(kind: str):
    def handler(tracer: Tracer, layer, x: Tensor) -> Tensor:
        check_channels_last(layer)
        image = x if len(x.shape) == 4 else as_image(tracer, layer, x)
        y = _pool(tracer, layer, kind, image, Window(*image.shape[1:3]))
        ones = (1,) * (len(x.shape) - 2) if layer.keepdims else ()
        return reshape(tracer, layer, y, (*ones, x.shape[-1]))

    return handler


def _pool(tracer: Tracer, layer, kind: str, x: Tensor, window: Window) -> Tensor:
    shape = (1, *window.output_size(*x.shape[1:3]), x.shape[3])
    return tracer.add(kind, layer, x, shape, window=window)


def _zero_padding_2d(tracer: Tracer, layer: layers.ZeroPadding2D, x: Tensor) -> Tensor:
    check_channels_last(layer)
    return pad(tracer, layer, x, *layer.padding)


def _zero_padding_1d(tracer: Tracer, layer: layers.ZeroPadding1D, x: Tensor) -> Tensor:
    check_channels_last(layer)
    y = pad(tracer, layer, as_image(tracer, layer, x), (0, 0), layer.padding)
    return as_sequence(tracer, layer, y)


def pad(tracer: Tracer, layer, x: Tensor, rows: tuple, columns: tuple) -> Tensor:
    """Zeros around an image: (before, after) of its rows and of its columns."""
    window = Window(1, 1, 1, 1, 1, 1, rows[0], columns[0], rows[1], columns[1])
    if window == IDENTITY:
        return x
    shape = (1, *window.output_size(*x.shape[1:3]), x.shape[3])
    return tracer.add("pad_2d", layer, x, shape, window=window)


def crop(tracer: Tracer, layer, x: Tensor, begin: tuple, size: tuple) -> Tensor:
    """`size` values along each axis but the batch's, from `begin` on."""
    if tuple(size) == x.shape[1:]:
        return x
    options = {"begin": (0, *begin), "size": (1, *size)}
    return tracer.add("slice", layer, x, (1, *size), **options)


def _cropping(tracer: Tracer, layer, x: Tensor) -> Tensor:
    check_channels_last(layer)
    sides = layer.cropping if len(x.shape) == 4 else (layer.cropping,)
    begin = [first for first, _ in sides]
    size = [n - first - last for n, (first, last) in zip(x.shape[1:], sides, strict=False)]
    return crop(tracer, layer, x, (*begin, 0), (*size, x.shape[-1]))


def _up_sampling_2d(tracer: Tracer, layer: layers.UpSampling2D, x: Tensor) -> Tensor:
    check_channels_last(layer)
    if layer.interpolation != "nearest":
        raise UserError(
            f"Layer `{layer.name}` enlarges by interpolation={layer.interpolation!r}; only "
            "'nearest' can be exported."
        )
    return _resize(tracer, layer, x, tuple(layer.size))


def _up_sampling_1d(tracer: Tracer, layer: layers.UpSampling1D, x: Tensor) -> Tensor:
    y = _resize(tracer, layer, as_image(tracer, layer, x), (1, layer.size))
    return as_sequence(tracer, layer, y)


def _resize(tracer: Tracer, layer, x: Tensor, factor: tuple[int, int]) -> Tensor:
    _, height, width, channels = x.shape
    shape = (1, height * factor[0], width * factor[1], channels)
    return tracer.add("resize", layer, x, shape, factor=factor)


HANDLERS = {
    layers.AveragePooling1D: _pool_1d("average_pool_2d"),
    layers.AveragePooling2D: _pool_2d("average_pool_2d"),
    layers.Cropping1D: _cropping,
    layers.Cropping2D: _cropping,
    layers.GlobalAveragePooling1D: _global_pool("average_pool_2d"),
    layers.GlobalAveragePooling2D: _global_pool("average_pool_2d"),
    layers.GlobalMaxPooling1D: _global_pool("max_pool_2d"),
    layers.GlobalMaxPooling2D: _global_pool("max_pool_2d"),
    layers.MaxPooling1D: _pool_1d("max_pool_2d"),
    layers.MaxPooling2D: _pool_2d("max_pool_2d"),
    layers.UpSampling1D: _up_sampling_1d,
    layers.UpSampling2D: _up_sampling_2d,
    layers.ZeroPadding1D: _zero_padding_1d,
    layers.ZeroPadding2D: _zero_padding_2d,
}
