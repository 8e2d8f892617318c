"""Import TensorFlow without its chatter."""

import os
import sys


def import_tensorflow() -> None:
    """Import TensorFlow without what its C++ prints meanwhile, on any machine without a GPU.

    It writes to the file descriptor, before its log levels are set; Python's own errors still come
    through as exceptions.
    """
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
