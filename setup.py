"""Metadata, the package mapping, and the native library. Tool settings are in pyproject.toml.

`deploy/` and `microcontroller/` lie at the top of a checkout and install under `keras_bc`, so that
a wheel puts one name into site-packages. So do the measured test errors in `benchmarks/results/`,
which `keras-bc train --list` shows. The C sources travel as data: an export compiles them for a
board. The same sources, built here for the host with the delegate beside them, are `libkeras_bc`, a
plain shared library that needs no Python headers.
"""

import shutil
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, PlatformError

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # setuptools < 70.1
    from wheel.bdist_wheel import bdist_wheel

ROOT = Path(__file__).resolve().parent
MICROCONTROLLER = Path("microcontroller")
NOT_OF_RECIPES = ["calibration.json", "kernels.json", "shift_range.json", "training_step.json"]
"""Files beside the measured test errors."""


class BuildLibrary(build_ext):
    """Builds a shared library that Python opens by its path, and never imports."""

    def get_ext_filename(self, fullname):
        suffix = ".dll" if sys.platform == "win32" else ".so"
        return str(Path(*fullname.split("."))) + suffix

    def get_export_symbols(self, ext):
        return ext.export_symbols  # and no PyInit

    def get_libraries(self, ext):
        return ext.libraries  # and no libpython

    def build_extension(self, ext):
        command = getattr(self.compiler, "compiler_so", None)  # None: MSVC finds its own
        if command and not shutil.which(command[0]):
            raise PlatformError(
                f"No C compiler: keras_bc builds its TFLite delegate with `{command[0]}`, which is "
                "not on the PATH. Install one (Debian and Ubuntu: apt install gcc libc6-dev; "
                "macOS: xcode-select --install), or name yours in the variable CC."
            )
        try:
            super().build_extension(ext)
        except CompileError as error:
            raise CompileError(f"The C sources of keras_bc do not compile: {error}") from error


class PlatformWheel(bdist_wheel):
    """Tags the wheel with the platform alone: the library does not depend on Python's version."""

    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


def native_library() -> Extension:
    folders = ("src", "ops", "host", "delegate")
    sources = [path for name in folders for path in sorted(MICROCONTROLLER.glob(f"{name}/*.c"))]
    headers = [path for suffix in ("h", "def") for path in MICROCONTROLLER.rglob(f"*.{suffix}")]
    unix = sys.platform != "win32"
    return Extension(
        "keras_bc.deploy.libkeras_bc",
        sources=[str(path) for path in sources],
        depends=sorted(str(path) for path in headers),
        include_dirs=[str(MICROCONTROLLER / name) for name in ("include", *folders)],
        # No fused multiply-add: floats are the same on every host.
        extra_compile_args=["-std=c99", "-O2", "-ffp-contract=off", "-pthread"] if unix else [],
        extra_link_args=["-pthread"] if unix else [],
    )


setup(
    name="keras_bc",
    version="0.1.0",
    description="Train networks with one-bit weights in Keras 3 and run them on microcontrollers",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=[
        "keras_bc",
        *(f"keras_bc.{name}" for name in find_packages(str(ROOT / "keras_bc"))),
        "keras_bc.deploy",
        *(f"keras_bc.deploy.{name}" for name in find_packages(str(ROOT / "deploy"))),
        "keras_bc.measurements",
        "keras_bc.microcontroller",
    ],
    package_dir={
        "keras_bc.deploy": "deploy",
        "keras_bc.measurements": "benchmarks/results",
        "keras_bc.microcontroller": "microcontroller",
    },
    package_data={
        "keras_bc.deploy": ["costs.json", "templates/*"],
        "keras_bc.measurements": ["*.json"],
        "keras_bc.microcontroller": [
            f"{folder}/**/*"
            for folder in (
                *("include", "src", "ops", "host", "delegate", "tflm"),
                *("firmware", "boards", "emulation"),
            )
        ],
    },
    exclude_package_data={"keras_bc.measurements": NOT_OF_RECIPES},
    ext_modules=[native_library()],
    cmdclass={"build_ext": BuildLibrary, "bdist_wheel": PlatformWheel},
    entry_points={"console_scripts": ["keras-bc = keras_bc.cli:main"]},
    install_requires=[
        "ai-edge-litert>=1.2",
        "click>=8.1",
        "flatbuffers>=24.3.25",
        "jinja2>=3.1",
        "keras>=3.12",
        "matplotlib>=3.7",
        "numpy>=1.26",
        "pyocd>=0.36",
        "rich>=13.0",
        "scikit-learn>=1.3",
        "tensorflow>=2.18",
        "tensorflow-datasets>=4.9.4",
        'tomli>=2.0; python_version < "3.11"',
    ],
    extras_require={"test": ["click>=8.2", "pytest>=7.4", "pytest-xdist>=3.5", "ruff>=0.6"]},
)
