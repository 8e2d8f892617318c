import ctypes
import re
import subprocess

import pytest

from keras_bc.deploy import native
from tests.deploy.c_build import compile_c

STRUCTS = [value for value in vars(native).values() if hasattr(value, "c_name")]


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    """What the C compiler says of each struct: its size, and where each field lies."""
    folder = tmp_path_factory.mktemp("structs")
    lines = []
    for struct in STRUCTS:
        name = struct.c_name
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        for field, _ in struct._fields_:
            lines.append(f'printf("{name}.{field} %zu\\n", offsetof({name}, {field}));')
    source = folder / "structs.c"
    source.write_text(
        '#include <stddef.h>\n#include <stdio.h>\n#include "kbc/kbc.h"\n'
        "int main(void)\n{\n" + "\n".join(lines) + "\nreturn 0;\n}\n"
    )
    compile_c(source, "-o", folder / "structs")
    output = subprocess.run([folder / "structs"], capture_output=True, text=True, check=True).stdout
    return {name: int(value) for name, value in re.findall(r"(\S+) (\d+)", output)}


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.c_name)
def test_struct_lies_as_in_c(struct, layouts):
    assert ctypes.sizeof(struct) == layouts[struct.c_name]
    for field, _ in struct._fields_:
        assert getattr(struct, field).offset == layouts[f"{struct.c_name}.{field}"]


def test_scratch_bytes_come_from_the_twin():
    params = native.FullyConnectedParams(rows=1, in_features=784, out_features=256)
    assert native.scratch_bytes("kbc_fully_connected_s8", params) == 0
    assert 0 < native.scratch_bytes("kbc_fully_connected_s8_tables", params) <= 4096


def test_a_kernel_without_a_twin_takes_no_scratch():
    assert native.scratch_bytes("kbc_int8_pad_2d", native.Pad2DParams()) is None
