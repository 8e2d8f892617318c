"""The kernel table, as Python reads it."""

import pytest

from keras_bc.deploy import kernels, layouts


def test_the_reference_comes_first_and_bears_the_name_of_its_op():
    reference, *_ = kernels.variants("fully_connected_s8")
    assert reference.name == "reference"
    assert reference.function == "kbc_fully_connected_s8"
    assert reference.layout == "canonical"


def test_a_variant_adds_its_name():
    functions = {row.name: row.function for row in kernels.variants("fully_connected_s8")}
    assert functions["tables"] == "kbc_fully_connected_s8_tables"


def test_every_row_of_the_file_is_read():
    rows = [line for line in kernels.TABLE.read_text().splitlines() if line.startswith("KBC_KERN")]
    assert len(rows) == len(kernels.table())


@pytest.mark.parametrize("variant", kernels.table(), ids=lambda v: v.function)
def test_every_row_is_declared_and_its_layout_known(variant):
    header = (kernels.INCLUDE / "kbc" / "kbc.h").read_text()
    assert f"_function {variant.function};" in header
    assert f"_scratch_function {variant.function}_scratch;" in header
    assert variant.layout in layouts.LAYOUTS


def test_an_op_without_kernels_is_an_error():
    with pytest.raises(KeyError):
        kernels.variants("transposed_conv_2d")
