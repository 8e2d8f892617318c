import dataclasses
import itertools

import numpy as np
import pytest

from keras_bc.deploy.arena import Arena, Buffer, most_live_bytes, plan


def random_buffers(seed, count=None, alignment=1):
    rng = np.random.default_rng(seed)
    lives = np.sort(rng.integers(0, 8, (count or int(rng.integers(1, 30)), 2)), axis=1).tolist()
    return [
        Buffer(f"b{i}", int(rng.integers(1, 200)), first, last, alignment)
        for i, (first, last) in enumerate(lives)
    ]


def chain(sizes, scratch=()):
    """Tensors that each are made from the one before, and the scratch of each step."""
    steps = len(sizes) - 1
    tensors = [
        Buffer(f"t{i}", size, max(i - 1, 0), min(i, steps - 1)) for i, size in enumerate(sizes)
    ]
    return tensors + [Buffer(f"s{i}", size, i, i) for i, size in enumerate(scratch)]


def check(buffers, arena):
    assert arena.offsets.keys() == {buffer.name for buffer in buffers}
    for buffer in buffers:
        offset = arena.offsets[buffer.name]
        assert offset >= 0 and offset % buffer.alignment == 0
        assert offset + buffer.size <= arena.size
    for a, b in itertools.combinations(buffers, 2):
        assert apart(a, b, arena.offsets), f"{a} and {b} share bytes"


def apart(a, b, offsets):
    """No step needs both, or no byte is in both, or one may be written over the other."""
    if a.last < b.first or b.last < a.first:
        return True
    start, end = offsets[a.name], offsets[b.name]
    if (a.over == b.name and start <= end) or (b.over == a.name and end <= start):
        return True
    return start + a.size <= end or end + b.size <= start


@pytest.mark.parametrize("alignment", [1, 4, 8])
@pytest.mark.parametrize("seed", range(50))
def test_buffers_that_live_together_lie_apart(seed, alignment):
    buffers = random_buffers(seed, alignment=alignment)
    arena = plan(buffers)
    check(buffers, arena)
    assert arena.size >= most_live_bytes(buffers)
    assert arena.size <= sum(-(-b.size // alignment) * alignment for b in buffers)


def test_most_live_bytes_is_the_heaviest_step():
    buffers = [Buffer("a", 5, 0, 1), Buffer("b", 7, 1, 2), Buffer("c", 3, 2, 4)]
    assert most_live_bytes(buffers) == 12
    assert most_live_bytes([]) == 0


@pytest.mark.parametrize("length", [2, 3, 9, 40])
def test_a_chain_of_equal_tensors_takes_two(length):
    assert plan(chain([100] * length)).size == 200


@pytest.mark.parametrize("seed", range(30))
def test_a_chain_takes_no_more_than_its_heaviest_step(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 1000, int(rng.integers(3, 20))).tolist()
    buffers = chain(sizes, scratch=rng.integers(1, 500, len(sizes) - 1).tolist())
    assert plan(buffers).size <= 1.05 * most_live_bytes(buffers)


@pytest.mark.parametrize("seed", range(6))
def test_small_plans_are_nearly_the_best_there_are(seed):
    buffers = random_buffers(seed, count=4)
    assert plan(buffers).size <= 1.1 * smallest(buffers)


def smallest(buffers):
    """The least size over all sums of sizes as offsets: slow, and independent of the planner."""
    sums = {0}
    for buffer in buffers:
        sums |= {total + buffer.size for total in sums}
    names = [buffer.name for buffer in buffers]
    plans = (
        dict(zip(names, offsets, strict=True))
        for offsets in itertools.product(sorted(sums), repeat=len(buffers))
    )
    return min(
        max(offsets[b.name] + b.size for b in buffers)
        for offsets in plans
        if all(apart(a, b, offsets) for a, b in itertools.combinations(buffers, 2))
    )


def test_an_order_that_is_not_by_size_is_found():
    # Largest first would put d and a at 0, b above a at 8, and c above both b and d: 18 bytes.
    buffers = [
        Buffer("a", 8, 0, 1),
        Buffer("b", 6, 1, 2),
        Buffer("c", 4, 2, 3),
        Buffer("d", 9, 3, 3),
    ]
    assert plan(buffers).size == most_live_bytes(buffers) == 14


def test_no_buffers_take_no_bytes():
    assert plan([]) == Arena(0, {})


@pytest.mark.parametrize("seed", range(50))
def test_outputs_over_inputs(seed):
    """A chain in which some steps may write over what they read."""
    rng = np.random.default_rng(seed)
    buffers = chain(rng.integers(1, 200, 8).tolist(), rng.integers(1, 100, 7).tolist())
    for i in range(2, 8):
        if rng.integers(2):
            buffers[i] = dataclasses.replace(buffers[i], over=buffers[i - 1].name)
    apart_only = [dataclasses.replace(buffer, over=None) for buffer in buffers]
    arena = plan(buffers)
    check(buffers, arena)
    assert arena.size <= plan(apart_only).size


def test_a_step_in_place_takes_no_more_than_its_input():
    x, y = Buffer("x", 100, 0, 1), Buffer("y", 40, 1, 2, over="x")
    assert plan([x, y]).size == most_live_bytes([x, y]) == 100


def test_names_may_be_of_several_types():
    alike = [Buffer(name, 8, 0, 0) for name in ("a", ("scratch", 0), "b")]
    assert plan(alike).offsets == plan(alike[::-1]).offsets
