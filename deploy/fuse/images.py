"""Convolutions see images: whatever else they are given gets reshapes around it."""

import math

from keras_bc.deploy.fuse.steps import POINTWISE, Step, Steps


def as_images(steps: Steps) -> Steps:
    """Put reshapes around convolutions of what is no image; real dense layers become such.

    TensorFlow Lite's own FULLY_CONNECTED has per-channel weights in its newest runtimes only; a
    1x1 convolution has them in all.
    """
    found = Steps(steps.source, outputs=steps.outputs)
    for step in steps.steps.values():
        if step.kind == "fully_connected" and not step.few_bit:
            _make_convolution(step)
        if step.kind == "conv_2d" and len(step.shape) != 4:
            _surround(step, found)
        else:
            found.append(step)
    return found


def _make_convolution(step: Step) -> None:
    step.kind = "conv_2d"
    step.options |= POINTWISE
    step.constants["weights"] = step.constants["weights"][:, None, None, :]


def _surround(step: Step, found: Steps) -> None:
    output, shape = step.output, step.shape
    pixels = math.prod(shape[1:-1])
    for number, name in enumerate(step.inputs):
        given = found.shape(name)
        image = (1, 1, pixels, math.prod(given) // pixels)
        before = f"{output}/{('x', 'shortcut')[number]}"
        found.append(
            Step("reshape", step.name, [name], before, image, {}, bits=found.is_bits(name))
        )
        step.inputs[number] = before
    step.output, step.shape = f"{output}/y", (1, 1, pixels, shape[-1])
    found.append(step)
    found.append(Step("reshape", step.name, [step.output], output, shape, {}, bits=step.bits))
