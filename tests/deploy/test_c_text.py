import numpy as np

from keras_bc.deploy import c_text
from keras_bc.deploy.native import OutputParams, SoftmaxParams


def test_identifiers_are_distinct_and_valid():
    names = [
        "Dense",
        "dense",
        "dense_2",
        "dense",
        "9 lives",
        "kbc_conv",
        "\N{BOMB}",
        "a/b.c",
        "a_b_c",
    ]
    assert c_text.identifiers(names) == [
        "dense",
        "dense_2",
        "dense_2_2",
        "dense_3",
        "layer_9_lives",
        "layer_kbc_conv",
        "layer",
        "a_b_c",
        "a_b_c_2",
    ]


def test_a_comment_cannot_end_early():
    assert c_text.comment("conv2d_1 [3, 4]") == "conv2d_1 [3, 4]"
    assert c_text.comment("*/ x ??/\\\n") == "__ x _____"


def test_floats_are_exact():
    values = np.array([1, 0, 0.1, -2.5, 1e-45, 3.4e38], np.float32)
    kind, text = c_text.numbers(values)
    items = [item.strip() for item in text.split(",") if item.strip()]
    assert kind == "float"
    assert items[:2] == ["0x1p+0f", "0x0p+0f"]
    parsed = np.array([float.fromhex(item.removesuffix("f")) for item in items], np.float32)
    np.testing.assert_array_equal(parsed, values)


def test_words_are_hexadecimal_and_unsigned():
    kind, text = c_text.numbers(np.array([[-1, 1]], np.int32))
    assert (kind, text) == ("uint32_t", "    0xffffffff, 0x00000001,")


def test_channels():
    text = c_text.channels(np.array([[1, -2, 3], [4, 5, 6]], np.int32))
    assert text == "    {1, -2, 3}, {4, 5, 6},"


def test_lines_fit():
    _, text = c_text.numbers(np.arange(-128, 128).astype(np.int8))
    lines = text.splitlines()
    assert max(map(len, lines)) <= c_text.WIDTH
    assert [int(item) for line in lines for item in line.split(",") if item.strip()] == list(
        range(-128, 128)
    )


def test_struct_names_its_pointers():
    params = SoftmaxParams(rows=2, features=10)
    text = c_text.struct(params, {"exponentials": "head_exponentials"})
    assert text == "    .rows = 2, .features = 10, .exponentials = head_exponentials,"
    assert c_text.struct(OutputParams(-3, -128, 127), {}).strip() == (
        ".zero_point = -3, .min = -128, .max = 127,"
    )


def test_a_long_call_is_wrapped():
    assert c_text.call("f", ["a", "b"]) == "f(a, b);"
    long = [f"argument_{i}_of_many_of_them" for i in range(6)]
    text = c_text.call("f", long)
    assert text.startswith("f(\n        argument_0") and text.endswith(
        "argument_5_of_many_of_them);"
    )
    assert max(map(len, text.splitlines())) <= c_text.WIDTH
