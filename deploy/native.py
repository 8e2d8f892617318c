"""The C library from Python: kbc.h's parameter structs in ctypes, and its functions."""

import ctypes
from ctypes import Structure, c_float, c_int8, c_int32, c_void_p
from dataclasses import fields
from functools import cache

from keras_bc.deploy.interpreter import native_library
from keras_bc.deploy.windows import Window


def _ints(names: str) -> list[tuple[str, type]]:
    return [(name, c_int32) for name in names.split()]


class FunctionPointer(c_void_p):
    """A field that names a function of kbc.h: emitted C has the name, and only it."""


class OutputParams(Structure):
    """`kbc_output`."""

    c_name = "kbc_output"
    _fields_ = _ints("zero_point min max")


class WindowParams(Structure):
    """`kbc_window`."""

    c_name = "kbc_window"
    _fields_ = _ints(" ".join(field.name for field in fields(Window)))


class ShortcutParams(Structure):
    """`kbc_shortcut`."""

    c_name = "kbc_shortcut"
    _fields_ = _ints("zero_point multiplier shift")


class FinishParams(Structure):
    """`kbc_finish`."""

    c_name = "kbc_finish"
    _fields_ = [
        ("function", FunctionPointer),
        ("channels", c_void_p),
        *_ints("size"),
        ("output", OutputParams),
        ("shortcut", ShortcutParams),
    ]


class FullyConnectedParams(Structure):
    """`kbc_fully_connected_params`."""

    c_name = "kbc_fully_connected_params"
    _fields_ = [
        *_ints("rows in_features out_features input_zero_point"),
        ("weights", c_void_p),
        ("finish", FinishParams),
    ]


class Conv2DParams(Structure):
    """`kbc_conv_2d_params`."""

    c_name = "kbc_conv_2d_params"
    _fields_ = [
        *_ints("batch in_height in_width in_channels conv_height conv_width"),
        *_ints("out_height out_width out_channels groups"),
        *_ints("input_dilation_height input_dilation_width input_zero_point"),
        ("kernel", WindowParams),
        ("pool", WindowParams),
        ("weights", c_void_p),
        ("finish", FinishParams),
    ]


class Pool2DParams(Structure):
    """`kbc_pool_2d_params`."""

    c_name = "kbc_pool_2d_params"
    _fields_ = [
        *_ints("batch in_height in_width channels out_height out_width"),
        ("window", WindowParams),
        ("output", OutputParams),
    ]


class PackParams(Structure):
    """`kbc_pack_params`."""

    c_name = "kbc_pack_params"
    _fields_ = [*_ints("rows channels"), ("zero_point", c_int8)]


class UnpackParams(Structure):
    """`kbc_unpack_params`."""

    c_name = "kbc_unpack_params"
    _fields_ = [*_ints("rows channels"), ("positive", c_int8), ("negative", c_int8)]


class Pad2DParams(Structure):
    """`kbc_pad_2d_params`."""

    c_name = "kbc_pad_2d_params"
    _fields_ = [
        *_ints("batch in_height in_width channels pad_top pad_left pad_bottom pad_right"),
        ("value", c_int8),
    ]


class SoftmaxParams(Structure):
    """`kbc_softmax_params`."""

    c_name = "kbc_softmax_params"
    _fields_ = [*_ints("rows features"), ("exponentials", c_void_p)]


class FactorParams(Structure):
    """`kbc_factor`."""

    c_name = "kbc_factor"
    _fields_ = _ints("multiplier shift")


class OperandsParams(Structure):
    """`kbc_operands`."""

    c_name = "kbc_operands"
    _fields_ = _ints("size a_size b_size a_zero_point b_zero_point")


class AddParams(Structure):
    """`kbc_add_params`."""

    c_name = "kbc_add_params"
    _fields_ = [
        ("operands", OperandsParams),
        *_ints("b_sign"),
        ("a_factor", FactorParams),
        ("b_factor", FactorParams),
        ("factor", FactorParams),
        ("output", OutputParams),
    ]


class MulParams(Structure):
    """`kbc_mul_params`."""

    c_name = "kbc_mul_params"
    _fields_ = [("operands", OperandsParams), ("factor", FactorParams), ("output", OutputParams)]


class ConcatenationParams(Structure):
    """`kbc_concatenation_params`."""

    c_name = "kbc_concatenation_params"
    _fields_ = [*_ints("rows inputs"), ("sizes", c_void_p)]


class TableParams(Structure):
    """`kbc_table_params`."""

    c_name = "kbc_table_params"
    _fields_ = [*_ints("size"), ("table", c_void_p)]


class SliceParams(Structure):
    """`kbc_slice_params`."""

    c_name = "kbc_slice_params"
    _fields_ = [
        *_ints("batch in_height in_width in_channels top left first_channel"),
        *_ints("out_height out_width out_channels"),
    ]


class Resize2DParams(Structure):
    """`kbc_resize_2d_params`."""

    c_name = "kbc_resize_2d_params"
    _fields_ = _ints("batch in_height in_width channels factor_height factor_width")


class PReLUParams(Structure):
    """`kbc_prelu_params`."""

    c_name = "kbc_prelu_params"
    _fields_ = [
        ("operands", OperandsParams),
        ("factor", FactorParams),
        ("alpha_factor", FactorParams),
        ("output", OutputParams),
        ("alpha", c_void_p),
    ]


class ConversionParams(Structure):
    """`kbc_conversion_params`."""

    c_name = "kbc_conversion_params"
    _fields_ = [*_ints("size"), ("scale", c_float), *_ints("zero_point")]


class FloatBoundParams(Structure):
    """`kbc_float_bound_params`."""

    c_name = "kbc_float_bound_params"
    _fields_ = [*_ints("size"), ("low", c_float), ("high", c_float)]


class FloatAddParams(Structure):
    """`kbc_float_add_params`."""

    c_name = "kbc_float_add_params"
    _fields_ = _ints("size a_size b_size b_sign")


class FloatMulParams(Structure):
    """`kbc_float_mul_params`."""

    c_name = "kbc_float_mul_params"
    _fields_ = _ints("size a_size b_size")


@cache
def library() -> ctypes.CDLL:
    """The shared object of the delegate, which exports every kernel."""
    return ctypes.CDLL(str(native_library()))


def scratch_bytes(function: str, params: Structure) -> int | None:
    """Bytes that a kernel asks for through its twin; None where it has none, for it takes none.

    Args:
        function: Name of the kernel.
        params: Sizes and options; its pointers may be null.
    """
    twin = getattr(library(), f"{function}_scratch", None)
    if twin is None:
        return None
    twin.argtypes, twin.restype = [ctypes.POINTER(type(params))], c_int32
    return twin(ctypes.byref(params))
