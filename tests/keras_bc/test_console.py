from keras_bc import console

ROWS = [
    {"name": "a-name-that-somebody-has-to-type", "text": "words " * 20, "count": 1_234_567},
    {"name": "b", "text": None, "count": 2.5},
]


def test_a_pipe_gets_plain_lines_without_trailing_blanks(capsys):
    console.table("Title", ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Title"
    assert all(line == line.rstrip() for line in lines)
    assert any("words words" in line and line.endswith("1,234,567") for line in lines)


def test_names_and_numbers_stay_whole_on_a_narrow_terminal(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    console.table("Title", ROWS)
    out = capsys.readouterr().out
    assert "a-name-that-somebody-has-to-type" in out and "1,234,567" in out


def test_quiet_shows_nothing(capsys, monkeypatch):
    monkeypatch.setattr(console, "quiet", True)
    console.say("hello")
    with console.working("working"):
        pass
    assert capsys.readouterr() == ("", "")
