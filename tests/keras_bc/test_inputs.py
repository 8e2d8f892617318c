import numpy as np
import pytest

from keras_bc.errors import UserError
from keras_bc.inputs import batches, head, in_order, samples

A, B = np.arange(6).reshape(3, 2), np.arange(3)


def test_arrays_come_in_the_models_order():
    assert in_order(A, ["a"]) is A and in_order([A], ["a"]) is A and in_order({"a": A}, ["a"]) is A
    for given in ([A, B], (A, B), {"b": B, "a": A}):
        first, second = in_order(given, ["a", "b"])
        assert first is A and second is B


@pytest.mark.parametrize(
    "x, words",
    [
        (A, r"2 inputs \(a, b\), but 1 array given"),
        ([A, B, B], "but 3 arrays given"),
        ({"a": A}, "named a, the model's inputs a, b"),
        ({"a": A, "b": B, "c": B}, "named a, b, c, the"),
        ([A, B[1:]], r"\[2, 3\] samples"),
    ],
)
def test_arrays_that_do_not_fit_are_an_error(x, words):
    with pytest.raises(UserError, match=words):
        in_order(x, ["a", "b"])


def test_parts_of_one_array_and_of_several():
    assert samples(A) == samples([A, B]) == 3
    assert [len(part) for part in batches(A, 2)] == [2, 1]
    assert [[len(array) for array in part] for part in batches([A, B], 2)] == [[2, 2], [1, 1]]
    assert np.array_equal(head(A, 2), A[:2]) and np.array_equal(head([A, B], 1)[1], B[:1])
    assert len(head(A, None)) == 3
