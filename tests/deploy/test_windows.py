import keras
import numpy as np
import pytest

from keras_bc.deploy.windows import IDENTITY, Window, from_options, patches, to_options, window_for


def test_patches_are_the_taps_of_each_position():
    image = np.arange(9).reshape(1, 3, 3, 1)
    taps = patches(image, Window(2, 2), absent=-1)
    assert taps.shape == (1, 2, 2, 2, 2, 1)
    assert taps[0, 1, 0, :, :, 0].tolist() == [[3, 4], [6, 7]]


def test_taps_outside_of_the_image_are_absent():
    taps = patches(
        np.ones((1, 1, 1, 1)), Window(3, 3, pad_top=1, pad_left=1, pad_bottom=1, pad_right=1), -7
    )
    assert taps.reshape(3, 3).tolist() == [[-7, -7, -7], [-7, 1, -7], [-7, -7, -7]]


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("size, stride, dilation", [(3, 1, 1), (2, 2, 1), (3, 1, 2), (5, 3, 1)])
def test_a_windows_positions_are_kerass(padding, size, stride, dilation):
    window = window_for(padding, (11, 12), (size, size), (stride, stride), (dilation, dilation))
    layer = keras.layers.Conv2D(1, size, strides=stride, dilation_rate=dilation, padding=padding)
    assert window.output_size(11, 12) == layer.compute_output_shape((1, 11, 12, 1))[1:3]


def test_same_padding_puts_the_odd_pixel_at_the_end():
    window = window_for("same", (4, 4), (2, 2))
    assert (window.pad_top, window.pad_bottom) == (0, 1)


def test_options_hold_the_whole_window():
    kernel = Window(3, 2, 1, 2, 2, 1, 0, 1, 2, 3)
    assert from_options("kernel", to_options("kernel", kernel)) == kernel
    assert "pool_dilation_h" not in to_options("pool", IDENTITY)


def test_only_windows_that_share_pixels_overlap():
    assert Window(3, 3, 2, 2).overlaps
    assert not Window(2, 2, 2, 2).overlaps
