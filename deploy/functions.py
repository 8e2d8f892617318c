"""Curves of one variable that TensorFlow Lite has an op for: what `trace` calls a "function"."""

import numpy as np


def sigmoid(x: np.ndarray, alpha: float) -> np.ndarray:
    """1 / (1 + e^-x)."""
    return 1 / (1 + np.exp(-np.clip(x, -700, None)))


def tanh(x: np.ndarray, alpha: float) -> np.ndarray:
    """The hyperbolic tangent."""
    return np.tanh(x)


def leaky_relu(x: np.ndarray, alpha: float) -> np.ndarray:
    """x where it is positive, else alpha x."""
    return np.where(x > 0, x, alpha * x)


def elu(x: np.ndarray, alpha: float) -> np.ndarray:
    """x where it is positive, else e^x - 1."""
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def hard_swish(x: np.ndarray, alpha: float) -> np.ndarray:
    """x min(max(x + 3, 0), 6) / 6."""
    return x * np.clip(x + 3, 0, 6) / 6


FUNCTIONS = {
    function.__name__: function for function in (sigmoid, tanh, leaky_relu, elu, hard_swish)
}
"""By the names that a float or fused graph has for them; each of x and of alpha, which only a leaky
ReLU heeds."""
