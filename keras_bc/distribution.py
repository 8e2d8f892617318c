"""Train on all devices and machines that there are, by the engines that Keras already has.

Every device has a copy of the network, a replica, and takes an equal share of each batch. The
gradients are summed, and batch norm sees the whole batch: the weights stay equal, and are those of
one device with the whole batch, but for rounding. Draws differ between the replicas of
`tf.distribute`, as `keras_bc.replica` numbers them; on JAX all devices run one program, whose draws
are one device's.

- Several machines, TensorFlow: the same command on each, with the variable `TF_CONFIG` naming all
  of them and which one this is, as `tf.distribute.MultiWorkerMirroredStrategy` wants it. They
  should see the same folder: the first writes the files, and all read them to resume.
- Several GPUs of one machine, TensorFlow: a `tf.distribute.MirroredStrategy` over as many as share
  a batch equally.
- Several devices of one machine, JAX: `keras.distribution.DataParallel`, likewise.
- A `MirroredStrategy` or distribution of the caller's own, in whose scope this runs, stays.

Limits over several replicas of `tf.distribute`: a compiled step cannot sum over them, so
`jit_compile` is without effect; Keras's dropout drops the same in all of them; and
`ShiftBatchNormalization` sees only its replica's share.
"""

import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass

import keras

from keras_bc.errors import UserError
from keras_bc.traversal import batch_norms


@dataclass(frozen=True)
class Devices:
    """What one training runs on.

    Attributes:
        replicas: How many devices share each batch.
        engine: A `tf.distribute.Strategy` or a `keras.distribution.Distribution`, or None.
        is_chief: Whether this process writes the files: all but one of several machines do not.
    """

    replicas: int = 1
    engine: object = None
    is_chief: bool = True

    def scope(self):
        """Return a context manager: what is built while it runs is spread over the devices."""
        return contextlib.nullcontext() if self.engine is None else self.engine.scope()

    def meet(self) -> None:
        """Wait until all machines are here: one that exits early takes the others with it."""
        if self._of_several_machines():
            self.engine.reduce("SUM", _tensorflow().zeros(()), axis=None).numpy()

    def _of_several_machines(self):
        if self.engine is None or keras.backend.backend() != "tensorflow":
            return False
        return isinstance(self.engine, _tensorflow().distribute.MultiWorkerMirroredStrategy)

    def fit_function(self, model: keras.Model) -> Callable[..., float]:
        """Return a function that trains a compiled model, built in the scope, for one epoch.

        Its arguments are `x` and `y`, arrays in the order in which to train, `batch_size` of all
        replicas together, and a list of `callbacks`; it returns the mean loss. Up to
        `replicas` - 1 examples at the end are left out, so that the last batch is shared equally.
        """
        if self.engine is None or keras.backend.backend() != "tensorflow":
            fit, around = _fit_function(model), contextlib.nullcontext
        else:
            model.jit_compile = False
            fit, around = _fit_function(model), lambda: _synchronized(model)
            if self._of_several_machines():
                fit = _fit_workers_function(model, self.engine)

        def fit_shared(x, y, batch_size, callbacks=()):
            count = len(x) - len(x) % self.replicas
            with around():
                return fit(x[:count], y[:count], batch_size, list(callbacks))

        return fit_shared


def find_devices(batch_size: int) -> Devices:
    """Return the devices for a training.

    Where `TF_CONFIG` names several machines TensorFlow must not have been used before.

    Args:
        batch_size: Of all replicas together.

    Raises:
        UserError: The batch cannot be shared equally, or `TF_CONFIG` is not as it must be.
    """
    finders = {"tensorflow": _tensorflow_devices, "jax": _jax_devices}
    finder = finders.get(keras.backend.backend())
    devices = finder(batch_size) if finder else Devices()
    if batch_size % devices.replicas:
        raise UserError(
            f"{devices.replicas} devices cannot share a batch of {batch_size} examples equally. "
            "Use a number of devices that divides it."
        )
    return devices


def _tensorflow_devices(batch_size):
    tf = _tensorflow()
    if tf.distribute.has_strategy():
        strategy = tf.distribute.get_strategy()
    elif _several_machines():
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    else:
        gpus = _sharing([gpu.name for gpu in tf.config.list_logical_devices("GPU")], batch_size)
        if len(gpus) < 2:
            return Devices()
        strategy = tf.distribute.MirroredStrategy(gpus)
    is_chief = strategy.extended.should_checkpoint
    return Devices(strategy.num_replicas_in_sync, strategy, is_chief)


def _jax_devices(batch_size):
    distribution = keras.distribution.distribution()
    if distribution is None:
        devices = _sharing(keras.distribution.list_devices(), batch_size)
        if len(devices) < 2:
            return Devices()
        distribution = keras.distribution.DataParallel(devices=devices)
    mesh = distribution.device_mesh
    return Devices(mesh.shape[mesh.axis_names.index(distribution.batch_dim_name)], distribution)


def _sharing(devices, batch_size):
    """As many of the devices as share a batch equally."""
    counts = (n for n in range(len(devices), 0, -1) if batch_size % n == 0)
    return devices[: next(counts, 0)]


def _several_machines() -> bool:
    config = os.environ.get("TF_CONFIG") or "{}"
    try:
        cluster = json.loads(config).get("cluster", {})
        return sum(len(cluster.get(kind, ())) for kind in ("chief", "worker")) > 1
    except (ValueError, AttributeError, TypeError) as error:
        raise UserError(
            'The variable TF_CONFIG is not such as {"cluster": {"worker": ["host:port", ...]}, '
            f'"task": {{"type": "worker", "index": 0}}}}. Received: {config}'
        ) from error


def _fit_function(model):
    def fit(x, y, batch_size, callbacks):
        fitted = model.fit(
            x, y, batch_size=batch_size, shuffle=False, verbose=0, callbacks=callbacks
        )
        return float(fitted.history["loss"][0])

    return fit


def _fit_workers_function(model, strategy):
    """`Model.fit` for several machines.

    That of Keras 3 stops at the first batch (github.com/keras-team/keras/issues/20585), and would
    then at the mean of the replicas' logs (github.com/tensorflow/tensorflow/issues/72388).
    """
    tf = _tensorflow()
    model.optimizer.build(model.trainable_variables)
    step = tf.function(
        lambda x, y: strategy.run(model.train_step, args=((x, y),)), reduce_retracing=True
    )

    def share(batch):
        size = len(batch) // strategy.num_replicas_in_sync

        def of_replica(context):
            start = context.replica_id_in_sync_group * size
            return tf.convert_to_tensor(batch[start : start + size])

        return strategy.experimental_distribute_values_from_function(of_replica)

    def fit(x, y, batch_size, callbacks):
        callbacks = keras.callbacks.CallbackList(callbacks, model=model)
        model.reset_metrics()
        callbacks.on_train_begin()
        callbacks.on_epoch_begin(0)
        for number, start in enumerate(range(0, len(x), batch_size)):
            callbacks.on_train_batch_begin(number)
            end = start + batch_size
            step(share(x[start:end]), share(y[start:end]))
            callbacks.on_train_batch_end(number)
        logs = {name: float(value) for name, value in model.get_metrics_result().items()}
        callbacks.on_epoch_end(0, logs)
        model.optimizer.finalize_variable_values(model.trainable_variables)
        callbacks.on_train_end(logs)
        return logs["loss"]

    return fit


@contextlib.contextmanager
def _synchronized(model):
    """Let batch norms use the statistics of the whole batch, not of each replica's share.

    Those of another kind do not know how to. Afterwards all is as before: JAX would not load a
    model that was saved as synchronized.
    """
    plain = [norm for norm in batch_norms(model) if type(norm) is keras.layers.BatchNormalization]
    before = [norm.synchronized for norm in plain]
    try:
        for norm in plain:
            norm.synchronized = True
        yield
    finally:
        for norm, synchronized in zip(plain, before, strict=True):
            norm.synchronized = synchronized


def _tensorflow():
    import tensorflow

    return tensorflow
