import shutil

import pytest

from keras_bc.deploy.guards import holds


def test_a_portable_kernel_needs_no_compiler(monkeypatch):
    monkeypatch.setenv("PATH", "")
    holds.cache_clear()
    assert holds("1", "any")
    assert holds("1", "cortex-m4")
    assert not holds("__ARM_FEATURE_DSP", "any")


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="no Arm compiler")
@pytest.mark.parametrize(
    ("guard", "cpu", "expected"),
    [
        ("__ARM_FEATURE_DSP", "cortex-m4", True),
        ("__ARM_FEATURE_DSP", "cortex-m3", False),
        ("defined(__thumb2__) && __ARM_ARCH >= 7", "cortex-m3", True),
        ("defined(__thumb2__) && __ARM_ARCH >= 7", "cortex-m0", False),
    ],
)
def test_a_guard_is_what_the_compiler_says(guard, cpu, expected):
    assert holds(guard, cpu) is expected
