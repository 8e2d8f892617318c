import shutil

import pytest

from keras_bc.deploy import instruction_counter
from keras_bc.errors import UserError

needs_cc = pytest.mark.skipif(not shutil.which("cc"), reason="needs cc (apt install gcc)")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@needs_cc
def test_the_plugin_is_compiled_once(cache):
    plugin = instruction_counter.plugin()
    assert cache in plugin.parents
    written = plugin.stat().st_mtime_ns
    assert instruction_counter.plugin() == plugin
    assert plugin.stat().st_mtime_ns == written


@needs_cc
def test_another_source_is_another_plugin(tmp_path, monkeypatch):
    first = instruction_counter.plugin()
    copy = shutil.copytree(instruction_counter.SOURCE.parent, tmp_path / "changed")
    source = copy / instruction_counter.SOURCE.name
    source.write_text(source.read_text() + "\n/* changed */\n")
    monkeypatch.setattr(instruction_counter, "SOURCE", source)
    assert instruction_counter.plugin() != first


def test_a_missing_compiler_is_named_with_its_package(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="apt install gcc"):
        instruction_counter.plugin()


@needs_cc
def test_a_failing_compiler_is_one_line(tmp_path, monkeypatch):
    source = tmp_path / "wrong.c"
    source.write_text("int a = b;\nint c = d;\n")
    monkeypatch.setattr(instruction_counter, "SOURCE", source)
    with pytest.raises(UserError, match=r"does not compile: .*b.* undeclared") as refusal:
        instruction_counter.plugin()
    assert "\n" not in str(refusal.value)
