"""The program with all ops, built once a run for each machine."""

import pytest

from tests.microcontroller.tflm import builds


@pytest.fixture(scope="session")
def host(tmp_path_factory) -> builds.Program:
    return builds.build_for_host(tmp_path_factory.mktemp("host"))


@pytest.fixture(scope="session")
def m4(tmp_path_factory) -> builds.Program:
    return builds.build_for_m4(tmp_path_factory.mktemp("m4"))
