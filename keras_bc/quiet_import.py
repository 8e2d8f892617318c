"""Import TensorFlow without its chatter."""

import os
import sys

from keras_bc.errors import UserError

BACKENDS = ("tensorflow", "jax")


def import_tensorflow() -> None:
    """Import TensorFlow without what its C++ prints meanwhile, on any machine without a GPU.

    It writes to the file descriptor, before its log levels are set; Python's own errors still come
    through as exceptions.

    Raises:
        UserError: The environment asks Keras for another backend than ours.
    """
    backend = os.environ.get("KERAS_BACKEND") or BACKENDS[0]
    if backend not in BACKENDS:
        raise UserError(
            f"KERAS_BACKEND asks for {backend}, and keras_bc runs on {' and '.join(BACKENDS)}. "
            "Unset it, or set it to one of them."
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        import tensorflow

        if "TF_CONFIG" not in os.environ:  # other machines must be looked for first
            tensorflow.zeros(())  # the devices are looked for only now
    finally:
        os.dup2(saved, 2)
        os.close(saved)
