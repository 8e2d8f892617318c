"""The kernel variants that can compute a call, and which of them is the best."""

from collections.abc import Mapping
from ctypes import Structure

from keras_bc.deploy import apart, cmsis_nn, costs, finishes, kernels, targets
from keras_bc.deploy.call import Call
from keras_bc.deploy.guards import holds
from keras_bc.deploy.layer import Layer
from keras_bc.deploy.native import scratch_bytes


def runnable(call: Call, cpu: str) -> list[Layer]:
    """The call in every variant that a CPU can run and that is made for it, in the table's order.

    Args:
        call: Of a kernel.
        cpu: As the compiler names it, such as "cortex-m4"; "any" takes portable kernels only.

    Raises:
        UserError: The CPU's flash is apart, and no kernel reads the call's constants there.
    """
    # A builtin has one kernel and no row in the table.
    rows = [row for row in kernels.table() if row.op == call.kernel]
    rows = rows or [kernels.Variant(call.kernel, "reference", "canonical", "1")]
    if call.constants and targets.of(cpu).flash_apart:
        rows, call = apart.kernels_for(rows, call, cpu)
    call = finishes.for_cpu(call, cpu)
    ways = [(row, call) for row in rows if holds(row.guard, cpu)]
    if theirs := cmsis_nn.layer_for(call, cpu):
        ways.append(theirs)
    layers = [Layer(way, row, scratch_bytes(row.function, way.params), cpu) for row, way in ways]
    return [layer for layer in layers if layer.scratch_bytes is None or layer.scratch_bytes >= 0]


def choices_for(call: Call, cpu: str, variants: Mapping[str, str]) -> list[Layer]:
    """The variants to choose from, the one with the fewest instructions last.

    Args:
        call: Of a kernel.
        cpu: As for `runnable`.
        variants: The only one to take, by op, wherever it can compute the call.
    """
    layers = runnable(call, cpu)
    wanted = [layer for layer in layers if variants.get(call.kernel) == layer.variant]
    if wanted or len(layers) == 1:
        return wanted or layers
    estimates = [costs.estimate(layer.kernel.function, call.params, cpu) for layer in layers]
    if None in estimates:  # a core that was not measured: the table's order
        return layers
    order = sorted(range(len(layers)), key=lambda i: -estimates[i])
    return [layers[i] for i in order]


def cost(layer: Layer, params: Structure) -> float:
    """The instructions of a layer's kernel with some parameters, about.

    Those of a kernel that was not measured are none: it is not chosen for its speed.
    """
    return costs.estimate(layer.kernel.function, params, layer.cpu) or 0.0
