"""The ops against the delegate's damaged files, under the sanitizers of addresses and undefined
behaviour."""

import json

from keras_bc.deploy import flatbuffer
from tests.deploy.graphs import graph_of, side_by_side
from tests.microcontroller.delegate.hostile import KINDS, Case, corpus
from tests.microcontroller.tflm import builds


def words_of(case: Case) -> str | None:
    """The delegate looks for other writers of an output; here its size is wrong before."""
    return "" if case.words == "another node writes its output" else case.words


def test_damaged_files_are_refused_and_never_crash(host, tmp_path):
    cases = list(corpus())
    results = builds.run(host, [builds.Job(case.data) for case in cases], tmp_path)
    wrong = {
        case.name: result.said
        for case, result in zip(cases, results, strict=True)
        if words_of(case) is not None and not (result.refused and words_of(case) in result.said)
    }
    assert not wrong, json.dumps(wrong, indent=1)
    refused = sum(result.refused for result in results)
    assert refused > len(cases) * 3 // 4


def test_an_arena_that_is_too_small_is_refused(host, tmp_path):
    graph = side_by_side(*(graph_of(kind, 11, bits=True, weights="ternary") for kind in KINDS))
    sizes = range(1024, 16384, 32)
    jobs = [builds.Job(flatbuffer.write(graph), arena_bytes=size) for size in sizes]
    results = builds.run(host, jobs, tmp_path)
    refused = [result.refused for result in results]
    enough = refused.index(False)
    assert enough > 50 and all(refused[:enough]) and not any(refused[enough:])
    assert any("keras_bc refuses" in result.said for result in results)
