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
        if a.first <= b.last and b.first <= a.last:
            start, end = arena.offsets[a.name], arena.offsets[b.name]
            assert start + a.size <= end or end + b.size <= start, f"{a} and {b} share bytes"


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


@pytest.mark.parametrize("seed", range(20))
def test_small_plans_are_nearly_the_best_there_are(seed):
    buffers = random_buffers(seed, count=4)
    assert plan(buffers).size <= 1.1 * smallest(buffers)


def smallest(buffers):
    """The least size over all sums of sizes as offsets: slow, and independent of the planner."""
    sums = {0}
    for buffer in buffers:
        sums |= {total + buffer.size for total in sums}
    sizes = []
    for offsets in itertools.product(sorted(sums), repeat=len(buffers)):
        arena = Arena(0, dict(zip((b.name for b in buffers), offsets, strict=True)))
        if all(apart(a, b, arena) for a, b in itertools.combinations(buffers, 2)):
            sizes.append(max(o + b.size for o, b in zip(offsets, buffers, strict=True)))
    return min(sizes)


def apart(a, b, arena):
    start, end = arena.offsets[a.name], arena.offsets[b.name]
    return not a.overlaps(b) or start + a.size <= end or end + b.size <= start


def test_an_order_that_is_not_by_size_is_found():
    # By size, b and c sink to the bottom, and a step of a + d cannot close up.
    buffers = [
        Buffer("a", 4, 0, 1),
        Buffer("b", 6, 1, 2),
        Buffer("c", 5, 2, 3),
        Buffer("d", 5, 3, 4),
        Buffer("e", 6, 0, 0),
    ]
    assert plan(buffers).size == most_live_bytes(buffers) == 11


def test_no_buffers_take_no_bytes():
    assert plan([]) == Arena(0, {})
