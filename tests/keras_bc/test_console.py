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


def test_an_inspection_has_a_line_for_each_tensor_and_each_map(capsys):
    def tensor(name, quantization=None, **rest):
        return {"name": name, "quantization": quantization, "constant": False, **rest}

    def scales(low, high, channels):
        return {
            "scale_min": low,
            "scale_max": high,
            "channels": channels,
            "zero_point": -3,
            "axis": None,
        }

    x = tensor("x", scales(0.5, 0.5, 1), type="int8", shape=[1, 4], bytes=4)
    w = tensor("w", scales(0.25, 0.75, 7), type="int8", shape=[7, 4], bytes=28)
    bits = tensor("y", type="bits in int32", shape=[1, 1], bytes=4)
    op = {"name": "dense", "op": "KbcPack", "inputs": [x, w], "outputs": [bits]}
    console.inspection(
        {
            "name": "net",
            "file_bytes": 1234,
            "inputs": [x],
            "outputs": [bits],
            "ops": [{**op, "options": {"groups": 2}, "bytes": 28}],
            "bytes": {"constants": 34, "layer_names": 1200},
        }
    )
    out = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "0 KbcPack dense reads x int8 [1, 4] 0.5 -3 4" in lines
    assert "reads w int8 [7, 4] 0.25 to 0.75, 7 channels -3 28" in lines
    assert "writes y bits in int32 [1, 1] 4" in lines
    assert "0 KbcPack groups=2" in lines
    assert "1,234 bytes: constants 34, layer names 1,200." in out
