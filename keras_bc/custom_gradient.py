"""Functions with a gradient of their own, written in one way for all backends."""

from keras import ops


def custom_gradient(function):
    """Like `keras.ops.custom_gradient`; the gradient takes the upstream gradient alone.

    Keras hands it on by position with TensorFlow and JAX, and by name with PyTorch.

    Args:
        function: Of tensors; returns a tensor and its gradient, a function of the upstream
            gradient that returns the gradient of each argument.
    """

    @ops.custom_gradient
    def with_gradient(*inputs):
        outputs, gradient = function(*inputs)

        def positional_or_named(*arguments, upstream=None):
            return gradient(arguments[0] if upstream is None else upstream)

        return outputs, positional_or_named

    return with_gradient
