"""Each test runs a fresh interpreter: what is imported when is what they are about."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_bc.layers import BinaryDense
from keras_bc.optimizers import glorot_scaled


def _run(code, *arguments):
    ran = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.keras"
    model = keras.Sequential(
        [keras.Input((4,)), BinaryDense(3, kernel_quantizer="stochastic_binary")]
    )
    model.compile(glorot_scaled("adam"), "mse")
    model.fit(np.ones((2, 4)), np.ones((2, 3)), verbose=0)
    model.save(path)
    return path


def test_importing_the_package_imports_neither_keras_nor_tensorflow():
    _run(
        "import sys, keras_bc, keras_bc.errors, keras_bc.recipes, keras_bc.datasets\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )


@pytest.mark.parametrize(
    "imports",
    [
        "import keras_bc, keras",
        "import keras, keras_bc",
        pytest.param("import keras_bc; import tensorflow", marks=pytest.mark.slow),
    ],
)
def test_a_bare_import_is_enough_to_load_a_model(saved, imports):
    _run(
        f"{imports}\nimport sys\nfrom keras.saving import load_model\n"
        "model = load_model(sys.argv[1])\n"
        "assert type(model.layers[0]).__name__ == 'BinaryDense'\n"
        "assert type(model.optimizer).__name__ == 'GlorotScaled'",
        saved,
    )


def test_keras_keeps_its_own_loader():
    _run(
        "import importlib.resources, sys\nimport keras_bc, keras\n"
        "assert not [f for f in sys.meta_path if type(f).__module__.startswith('keras_bc')]\n"
        "assert type(keras.__spec__.loader) is type(keras.src.__spec__.loader)\n"
        "assert importlib.resources.files('keras').is_dir()"
    )


def test_names_resolve_when_they_are_used():
    out = _run(
        "import keras_bc\n"
        "assert all(getattr(keras_bc, name) is not None for name in keras_bc.__all__)\n"
        "assert set(keras_bc.__all__) <= set(dir(keras_bc))\n"
        "try:\n    keras_bc.BinaryDens\nexcept AttributeError as error:\n    print(error)"
    )
    assert "BinaryDens" in out
