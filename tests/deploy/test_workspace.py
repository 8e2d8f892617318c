import pytest

from keras_bc.deploy import workspace
from keras_bc.errors import UserError


def test_an_empty_a_new_and_our_own_folder_can_be_claimed(tmp_path):
    for folder in (tmp_path, tmp_path / "new" / "inner", tmp_path):
        workspace.claim(folder, ["model.tflite"])
        assert (folder / workspace.MANIFEST).is_file()


def test_somebody_elses_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="files that keras-bc did not write"):
        workspace.claim(tmp_path, [])
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_a_kill_left_is_nobodys(tmp_path):
    (tmp_path / ".partial-model.tflite").touch()
    workspace.claim(tmp_path, ["model.tflite"])


def test_a_file_that_cannot_be_read_is_one_line(tmp_path, monkeypatch):
    (tmp_path / workspace.MODEL).touch()

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(UserError, match=r"Cannot read .*: Permission denied"):
        workspace.read_model(tmp_path)


@pytest.mark.parametrize("text", ['{"my": "config"}', "no JSON", "[]", '{"written by": "me"}'])
def test_somebody_elses_manifest_is_left_alone(text, tmp_path):
    (tmp_path / workspace.MANIFEST).write_text(text)
    with pytest.raises(UserError, match="files that keras-bc did not write"):
        workspace.claim(tmp_path, [])
    assert (tmp_path / workspace.MANIFEST).read_text() == text


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file"):
        workspace.check(tmp_path / "file")


def test_a_keras_model_is_to_be_exported_first(tmp_path):
    (tmp_path / "mine.keras").touch()
    with pytest.raises(UserError, match=r"mine\.keras is not exported yet. Run `keras-bc export"):
        workspace.model_file(tmp_path / "mine.keras")


def test_a_damaged_model_is_named(tmp_path):
    (tmp_path / "mine.tflite").write_bytes(b"text")
    with pytest.raises(UserError, match=r"mine\.tflite: Not a \.tflite file"):
        workspace.read_model(tmp_path / "mine.tflite")


def test_the_model_is_found_by_its_folder_or_its_name(tmp_path):
    model = tmp_path / workspace.MODEL
    with pytest.raises(UserError, match="There is no model file"):
        workspace.model_file(tmp_path)
    model.touch()
    assert workspace.model_file(tmp_path) == workspace.model_file(model) == model
    assert workspace.build_folder(tmp_path, "microbit") == tmp_path / "build" / "microbit"


def test_wishes_for_the_c_sources_are_those_of_the_export(tmp_path):
    model = tmp_path / workspace.MODEL
    model.touch()
    assert workspace.source_options(model) == {}
    workspace.sign(tmp_path, [model.name], {"namespace": "mine", "const_in_flash": True})
    expected = {"namespace": "mine", "const_in_flash": True}
    assert workspace.source_options(tmp_path) == workspace.source_options(model) == expected


def test_only_what_an_export_wrote_in_its_own_folder_is_its(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for path in (out / "model.c", out / "mine.c", tmp_path / "far.c"):
        path.touch()
    names = ["model.c", "gone.c", "../far.c", str(tmp_path / "far.c")]
    workspace.sign(out, names)
    assert workspace.exported_files(out) == []  # of a demo, say
    workspace.sign(out, names, {"namespace": "model", "const_in_flash": False})
    assert workspace.exported_files(out) == [out / "model.c"]
