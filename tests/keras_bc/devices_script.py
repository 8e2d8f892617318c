"""Trains small networks on whatever devices there are, and writes what came of it.

    python -m tests.keras_bc.devices_script OUTPUT.npz [mirrored]

`mirrored` splits TensorFlow's CPU in two, in a `MirroredStrategy`.
"""

import sys

import keras
import numpy as np

from keras_bc import distribution
from keras_bc.layers import BinaryDense, SignActivation
from keras_bc.optimizers import glorot_scaled

BATCH = 20
# Of the 53 two devices leave one out, and each has 6 of the last batch.
X = np.random.default_rng(0).uniform(-1, 1, (53, 8)).astype("float32")
Y = np.random.default_rng(1).uniform(-1, 1, (53, 3)).astype("float32")
STEPS = 2 * 3


def _deterministic():
    layers = [BinaryDense(16, name="binary"), keras.layers.ReLU(), BinaryDense(3, name="last")]
    return layers, keras.optimizers.SGD(1.0, momentum=0.5)


def _normalized():
    layers = [
        BinaryDense(16, use_bias=False, name="binary"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.ReLU(),
        BinaryDense(3, name="last"),
    ]
    return layers, glorot_scaled(keras.optimizers.Adam(1e-2))


def _stochastic():
    layers = [
        BinaryDense(
            16, kernel_quantizer="stochastic_binary", use_bias=False, seed=1, name="binary"
        ),
        SignActivation("stochastic_sign", seed=2, name="sign"),
        BinaryDense(3, kernel_quantizer="stochastic_ternary", seed=3, name="last"),
    ]
    return layers, keras.optimizers.SGD(0.1)


NETWORKS = {
    "deterministic": _deterministic,
    "normalized": _normalized,
    "stochastic": _stochastic,
}


def results() -> dict:
    """Train on all devices; return arrays by "network/variable/number of the replica here"."""
    devices = distribution.find_devices(BATCH)
    found = {"replicas": np.array(devices.replicas)}
    for name, network in NETWORKS.items():
        with devices.scope():
            keras.utils.set_random_seed(0)
            layers, optimizer = network()
            model = keras.Sequential([keras.Input((8,)), *layers], name=name)
            model.compile(optimizer, "mse", jit_compile=True)
            fit = devices.fit_function(model)
            losses = [fit(X, Y, BATCH) for _ in range(2)]
        found[f"{name}/losses/0"] = np.array(losses)
        variables = {variable.path: variable for variable in model.variables}
        # Keras numbers optimizers on and on.
        variables |= {f"{name}/optimizer/{i}": v for i, v in enumerate(optimizer.variables)}
        for path, variable in variables.items():
            for replica, value in enumerate(_values(variable, devices)):
                found[f"{path}/{replica}"] = np.asarray(value)
        if name == "stochastic":
            for replica, value in enumerate(_draws(layers[0], devices)):
                found[f"draws/{replica}"] = np.asarray(value)
    devices.meet()
    return found


def _values(variable, devices):
    if not hasattr(devices.engine, "experimental_local_results"):
        return [variable]
    return devices.engine.experimental_local_results(variable.value)


def _draws(layer, devices):
    """The kernel that the next step would draw, on each of this process's replicas."""
    unit = np.eye(8, dtype="float32")
    if not hasattr(devices.engine, "experimental_local_results"):
        return [layer(unit, training=True)]
    import tensorflow as tf

    draw = tf.function(lambda: layer(unit, training=True))
    return devices.engine.experimental_local_results(devices.engine.run(draw))


if __name__ == "__main__":
    if "mirrored" in sys.argv:
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        halves = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, halves)
        with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
            found = results()
    else:
        found = results()
    np.savez(sys.argv[1], **found)
