"""Training in two copies, in a process of its own: TensorFlow's devices are set once."""

import subprocess
import sys

import pytest

from tests.keras_bc.running_backend import tensorflow_only

SCRIPT = """
import sys
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras
from keras_bc.callbacks import FlipRatioLogger, HyperparameterScheduler
from keras_bc.layers.dense import BinaryDense
from keras_bc.layers.normalization import ShiftBatchNormalization
from keras_bc.optimizers import Bop, ShiftAdaMax, glorot_scaled

optimizers = {
    "bop": lambda: Bop(threshold=1.0, gamma=0.01),
    "adamax": lambda: glorot_scaled(ShiftAdaMax(2.0**-8)),
}
x = np.random.default_rng(0).normal(size=(256, 8)).astype("float32")
y = np.sign(x[:, :2].sum(1))
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    keras.utils.set_random_seed(0)
    layers = [BinaryDense(32, name="binary"), ShiftBatchNormalization(), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((8,)), *layers])
    model.compile(optimizers[sys.argv[1]](), "mse")
callbacks = [FlipRatioLogger()]
if sys.argv[1] == "bop":
    callbacks.append(HyperparameterScheduler(lambda epoch: 1e-3, "threshold"))
history = model.fit(x, y, epochs=8, verbose=0, callbacks=callbacks).history
assert strategy.num_replicas_in_sync == 2
assert history["loss"][-1] < history["loss"][0]
assert max(history["binary_flip_ratio"]) > 0
for variable in model.variables:
    first, second = strategy.experimental_local_results(variable.value)
    if variable.trainable:
        np.testing.assert_array_equal(first, second)
"""


@tensorflow_only
@pytest.mark.parametrize("optimizer", ["bop", pytest.param("adamax", marks=pytest.mark.slow)])
def test_trains_in_copies(optimizer):
    command = [sys.executable, "-c", SCRIPT, optimizer]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
