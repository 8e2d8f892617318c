"""Marks of tests that need a program which may be missing."""

import shutil

import pytest


def _needs(program: str, package: str):
    return pytest.mark.skipif(
        not shutil.which(program), reason=f"needs {program} (apt install {package})"
    )


qemu = _needs("qemu-system-arm", "qemu-system-arm")
cross_compiler = _needs("arm-none-eabi-gcc", "gcc-arm-none-eabi")
gdb = _needs("gdb-multiarch", "gdb-multiarch")
