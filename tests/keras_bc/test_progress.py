from keras_bc.progress import Progress


def test_a_line_an_epoch_on_stderr(capsys):
    progress = Progress(3, 10)
    with progress.epoch(0) as callbacks:
        assert callbacks == []
    progress.done(0, "loss 0.5")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "epoch 1/3  loss 0.5\n")


def test_quiet_is_quiet(capsys):
    progress = Progress(3, 10, quiet=True)
    with progress.epoch(0) as callbacks:
        assert callbacks == []
    progress.done(0, "loss 0.5")
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Progress(3, 4).epoch(1) as [bar]:
        for batch in range(4):
            bar.on_train_batch_end(batch, {})
    out, err = capsys.readouterr()
    assert out == "" and "epoch 2/3" in err and "100%" in err
