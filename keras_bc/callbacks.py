"""Callbacks for the training of binary weights."""

import keras
from keras import ops

from keras_bc.metrics import FlipRatio

_FREQUENCIES = ("epoch", "step")


class HyperparameterScheduler(keras.callbacks.Callback):
    """Sets a hyperparameter of the optimizer at the begin of each epoch or step.

    `hyperparameter = schedule(n)`, with n the number of the epoch in this `fit` or of the
    optimizer's step, from 0. The value of each epoch is in its logs, under the hyperparameter's
    name. With `steps_per_execution` above 1 steps in between are passed over.

    Only what is a variable takes effect in a compiled training: `threshold` and `gamma` of `Bop`,
    and the `learning_rate` of any optimizer. Other settings, Adam's `beta_1` for one, are constants
    of the compiled function, and refused.

    Args:
        schedule: A function from the number, an integer, to the value.
        hyperparameter: The name of an attribute of the optimizer, or else of one that it wraps.
        optimizer: By default that of the model; another one, or a wrapped one such as
            `bop.inner_optimizer`, where a name is in both.
        update_freq: "epoch" or "step".

    Raises:
        ValueError: `schedule` is no function, `update_freq` is neither; or, when the training
            begins, the optimizer has no such variable.

    Example:

    ```python
    halve = HyperparameterScheduler(lambda epoch: 1e-8 / 2**epoch, "threshold")
    model.compile(keras_bc.optimizers.Bop(), "squared_hinge")
    model.fit(x, y, epochs=5, callbacks=[halve])
    ```
    """

    def __init__(self, schedule, hyperparameter: str, optimizer=None, update_freq: str = "epoch"):
        super().__init__()
        if not callable(schedule):
            raise ValueError(
                "Invalid value for argument `schedule`. Expected a function of a number. "
                f"Received: schedule={schedule!r}"
            )
        if update_freq not in _FREQUENCIES:
            raise ValueError(
                f"Invalid value for argument `update_freq`. Expected one of {_FREQUENCIES}. "
                f"Received: update_freq={update_freq!r}"
            )
        self.schedule = schedule
        self.hyperparameter = hyperparameter
        self.optimizer = optimizer
        self.update_freq = update_freq

    def on_train_begin(self, logs=None):
        self._variable()

    def on_epoch_begin(self, epoch, logs=None):
        if self.update_freq == "epoch":
            self._variable().assign(self.schedule(epoch))

    def on_train_batch_begin(self, batch, logs=None):
        if self.update_freq == "step":
            step = int(ops.convert_to_numpy(self.model.optimizer.iterations))
            self._variable().assign(self.schedule(step))

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs[self.hyperparameter] = float(ops.convert_to_numpy(self._variable()))

    def _variable(self):
        # On JAX `self.model` brings the variables up to date, so it comes first in any case.
        optimizer = self.model.optimizer
        optimizer = optimizer if self.optimizer is None else self.optimizer
        while not hasattr(optimizer, self.hyperparameter) and hasattr(optimizer, "inner_optimizer"):
            optimizer = optimizer.inner_optimizer
        variable = getattr(optimizer, self.hyperparameter, None)
        if not isinstance(variable, keras.Variable):
            raise ValueError(
                "Invalid value for argument `hyperparameter`. Expected the name of a variable of "
                f"the optimizer {optimizer}, such as 'learning_rate' without a schedule of its "
                f"own. Received: hyperparameter={self.hyperparameter!r}, which is {variable!r}"
            )
        return variable


class FlipRatioLogger(keras.callbacks.Callback):
    """Logs the share of each quantized kernel's signs that an update flips, averaged over an epoch.

    The logs get `<layer>_flip_ratio`, a `keras_bc.metrics.FlipRatio`, so the history and the
    callbacks after this one have it. Near 0 the signs have settled; a ratio that stays high tells
    of a rate that is too large. The kernels are looked at after each batch, outside of the compiled
    step: after each `steps_per_execution` batches if that is more than one.
    """

    def on_train_begin(self, logs=None):
        self._metrics = {}
        self._update()

    def on_train_batch_end(self, batch, logs=None):
        self._update()

    def on_epoch_end(self, epoch, logs=None):
        for metric in self._metrics.values():
            if logs is not None:
                logs[metric.name] = float(ops.convert_to_numpy(metric.result()))
            metric.reset_state()

    def _update(self):
        # Layers mark what they quantize by this attribute.
        for kernel in self.model.trainable_variables:
            if hasattr(kernel, "glorot_coefficient"):
                if kernel.path not in self._metrics:
                    name = _log_name(kernel, self.model)
                    self._metrics[kernel.path] = FlipRatio(kernel.shape, name)
                self._metrics[kernel.path].update_state(kernel)


def _log_name(kernel, model):
    """The names of the layers that the kernel is in, from the outermost in the model."""
    *layers, _ = kernel.path.removeprefix(f"{model.name}/").split("/")
    return "_".join([*layers, "flip_ratio"])
