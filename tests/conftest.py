"""Settings that must stand before a test imports TensorFlow: the CPU, and no chatter."""

import os

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
