"""Train one-bit weights on MNIST in plain Keras, and export the network for a microcontroller.

    python examples/train_mnist.py
    keras-bc emulate mnist-out --board microbit --dataset mnist --samples 200

The recipes (`keras-bc train mnist-mlp-small`) do the same, and add a validation set, the best
epoch, curves and resuming. Here everything is in sight.
"""

import keras

import keras_bc
from keras_bc import datasets, recipes
from keras_bc.deploy.export import export

EPOCHS, BATCH = 10, 100

mnist = datasets.load("mnist")  # pixels scaled to [-1, 1]

model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Flatten(),
        keras_bc.BinaryDense(256, use_bias=False),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.ReLU(),
        keras_bc.BinaryDense(256, use_bias=False),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.ReLU(),
        keras_bc.BinaryDense(10, use_bias=False),
        keras.layers.BatchNormalization(momentum=0.9),
    ]
)

# The rate falls by a factor of 300 over the training: one-bit weights flip early, then settle.
steps = EPOCHS * len(mnist.train) // BATCH
rate = keras.optimizers.schedules.ExponentialDecay(1e-2, steps, 3e-5 / 1e-2)
model.compile(keras.optimizers.Adam(rate), "squared_hinge", jit_compile=True)
model.fit(mnist.train.x, recipes.targets(mnist.train.y, 10), BATCH, EPOCHS, verbose=2)

# Batch normalization with the statistics of the network that will be deployed.
keras_bc.reestimate_batch_norm(model, mnist.train.x)
result = keras_bc.evaluate(model, mnist.test.x, mnist.test.y)
print(f"test error with one-bit weights: {result['error']:.2f} %")

written = export(model, samples=mnist.train.x[:1000], folder="mnist-out")
print(f"{written.model}: {written.tflite_bytes:,} bytes")
