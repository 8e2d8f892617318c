import pytest

from keras_bc.deploy import boards
from keras_bc.errors import UserError

DESCRIPTION = """
title = "A board of my own"
cpu = "cortex-m3"
flags = ["-mcpu=cortex-m3", "-mthumb"]
flash = { origin = 0x08000000, size = 0x10000 }
ram = { origin = 0x20000000, size = 0x2000 }
output = "semihosting"
"""


def read(folder, text):
    path = folder / "mine.toml"
    path.write_text(text)
    return boards.find(str(path))


def test_the_boards_that_come_along():
    known = {board.name: board for board in boards.all()}
    cpus = {name: board.cpu for name, board in known.items()}
    assert (
        cpus.items()
        >= {
            "arduino-mega": "atmega2560",
            "arduino-uno": "atmega328p",
            "hifive1-revb": "rv32imac",
            "m0-bench": "cortex-m0",
            "microbit": "cortex-m0",
            "mps2-an385": "cortex-m3",
            "mps2-an386": "cortex-m4",
            "mps2-an500": "cortex-m7",
            "mps2-an505": "cortex-m33",
            "mps3-an547": "cortex-m55",
            "netduinoplus2": "cortex-m4",
            "rv32-bench": "rv32imac",
            "rv32-zbb-bench": "rv32imac_zbb",
            "stm32vldiscovery": "cortex-m3",
        }.items()
    )
    assert boards.find("microbit") == known["microbit"]
    assert known["microbit"].ram == boards.Memory(origin=0x20000000, size=16 * 1024)
    assert known["microbit"].flash.size == 256 * 1024


def test_an_unknown_board_is_refused_with_the_known_ones():
    with pytest.raises(UserError, match=r"Unknown board 'microbat'.*microbit"):
        boards.find("microbat")


def test_seven_lines_describe_a_board(tmp_path):
    board = read(tmp_path, DESCRIPTION)
    assert board.name == "mine"
    assert board.flags == ("-mcpu=cortex-m3", "-mthumb")
    assert board.flash == boards.Memory(0x08000000, 0x10000)
    assert (board.stack, board.emulator, board.flasher) == (1024, None, None)
    assert board.emulator_options == ()


def test_a_board_in_a_folder_of_its_own_has_the_folders_name(tmp_path):
    folder = tmp_path / "blinky"
    folder.mkdir()
    (folder / "board.toml").write_text(DESCRIPTION)
    assert boards.find(str(folder / "board.toml")).name == "blinky"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('cpu = "cortex-m3"', "", "lacks the key `cpu`"),
        ("ram =", "rom =", "lacks the key `ram`"),
        ("title", 'colour = "red"\ntitle', "unknown key `colour`"),
        ("size = 0x2000", "length = 0x2000", "`ram` is .*expected { origin"),
        ("0x2000 ", '"8 KB" ', "`ram` is "),
        ("0x2000 ", "0 ", "`ram` is "),
        ("0x20000000", "-8", "`ram` is .*within 4 GB"),
        ("0x20000000", "0xffffff00", "`ram` is .*within 4 GB"),
        ("0x20000000", "true", "`ram` is "),
        ("0x20000000", "0x20000004", "`ram` is .*a multiple of 8 "),
        ("0x08000000", "0x08000040", "`flash` is .*a multiple of 128 "),
        ("semihosting", "smoke", "`output` is 'smoke'"),
        ("title", "stack = 100\ntitle", "`stack` is 100, expected .* multiple of 8"),
        ('["-mcpu=cortex-m3", "-mthumb"]', '"-mthumb"', "`flags` is "),
        ("title", "emulator_options = [1]\ntitle", "`emulator_options` is "),
        ("title =", "title", "is not TOML"),
    ],
)
def test_a_wrong_description_is_refused(old, new, message, tmp_path):
    assert old in DESCRIPTION
    with pytest.raises(UserError, match=message):
        read(tmp_path, DESCRIPTION.replace(old, new))


def test_a_missing_description_is_refused(tmp_path):
    with pytest.raises(UserError, match="Cannot read the board"):
        boards.find(str(tmp_path / "none.toml"))
