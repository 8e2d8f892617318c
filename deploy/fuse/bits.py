"""Which tensors are signs, and where they become real values again."""

import math
from dataclasses import replace

from keras_bc.deploy.fuse.steps import POINTWISE, Step, Steps
from keras_bc.deploy.windows import Window

_WORD = 32


def settle_bits(steps: Steps) -> Steps:
    """Mark the tensors of signs, and unpack them for the steps that want real values.

    Few-bit ops take signs as they are; pooling them is an "or". A reshape leaves them where it
    leaves the words that they are packed in. A dense layer behind a flattened image of signs
    becomes a convolution with a window as large as the image, so that nothing has to be moved.
    """
    found = Steps(steps.source)
    unpacked: dict[str, str] = {}
    for step in steps.steps.values():
        flattened = _flattened_signs(step, found)
        if flattened is not None:
            step = _as_convolution(step, flattened, found)
        first = found.is_bits(step.inputs[0])
        step.bits = _gives_bits(step, first, found)
        keeps = step.few_bit or (step.bits and step.kind in ("max_pool_2d", "reshape"))
        for number, name in enumerate(step.inputs):
            if found.is_bits(name) and not (keeps and number == 0):
                step.inputs[number] = _unpack(name, step, found, unpacked)
        found.append(step)
        if flattened is not None:
            found.append(_flat(step))
    for name in steps.outputs:
        if found.is_bits(name):
            name = _unpack(name, found.steps[name], found, unpacked)
        found.outputs.append(name)
    return found


def _gives_bits(step: Step, reads_bits: bool, steps: Steps) -> bool:
    if step.linear:
        return step.options["sign"]
    if step.kind == "reshape" and reads_bits:
        before, after = steps.shape(step.inputs[0])[-1], step.shape[-1]
        return before == after or (before % _WORD == 0 and after % _WORD == 0)
    return step.kind == "sign" or (step.kind == "max_pool_2d" and reads_bits)


def _unpack(name: str, step: Step, steps: Steps, unpacked: dict[str, str]) -> str:
    """The real values of a tensor of signs."""
    if name not in unpacked:
        output = f"{name}/unpack"
        steps.append(Step("unpack", step.name, [name], output, steps.shape(name), {}))
        unpacked[name] = output
    return unpacked[name]


def _flattened_signs(step: Step, steps: Steps) -> str | None:
    """The image of signs that a dense step reads flattened, if that moved bits."""
    flatten = steps.steps.get(step.inputs[0])
    dense = step.kind == "fully_connected" and step.few_bit and len(step.inputs) == 1
    if not dense or flatten is None:
        return None
    unpack = steps.steps.get(flatten.inputs[0])
    if flatten.kind != "reshape" or unpack is None or unpack.kind != "unpack":
        return None
    image = unpack.inputs[0]
    shape = steps.shape(image)
    whole = len(shape) == 4 and flatten.shape == (1, math.prod(shape))
    return image if whole else None


def _as_convolution(step: Step, image: str, steps: Steps) -> Step:
    """A dense step as a convolution whose window is the image."""
    _, height, width, channels = steps.shape(image)
    rows = step.constants["weights"].reshape(-1, height, width, channels)
    return replace(
        step,
        kind="conv_2d",
        inputs=[image, *step.inputs[1:]],
        output=f"{step.output}/image",
        shape=(1, 1, 1, len(rows)),
        options=step.options | POINTWISE | {"window": Window(height, width)},
        constants=step.constants | {"weights": rows},
    )


def _flat(step: Step) -> Step:
    """The outputs of `_as_convolution` in the shape that the dense step had."""
    output, shape = step.output.removesuffix("/image"), (1, step.shape[-1])
    return Step("reshape", step.name, [step.output], output, shape, {}, bits=step.bits)
