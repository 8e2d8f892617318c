"""The benchmark runs and writes what it promises; its times are for an idle machine."""

import json

from click.testing import CliRunner

from keras_bc.recipes.networks import mlp
from tests.benchmarks.scripts import load

host = load("host")


def test_a_row_for_each_model(tmp_path, monkeypatch):
    network = host.Network("MLP", "12-40-10", (12,), lambda **given: mlp(40, 10, **given))
    monkeypatch.setattr(host, "NETWORKS", {"MLP": network})
    monkeypatch.setattr(host, "SECONDS", 0.0001)
    output = tmp_path / "host.json"
    options = ["--rounds", "2", "--output", str(output), "--models", str(tmp_path / "models")]
    done = CliRunner().invoke(host.main, options, catch_exceptions=False)
    assert done.exit_code == 0
    written = json.loads(output.read_text())
    rows = {row["model"]: row for row in written["rows"]}
    assert list(rows) == [*host.OURS, *host.PEERS]
    assert rows["float32 XNNPACK"]["x float32"] == rows["int8 XNNPACK"]["x int8"] == 1.0
    assert all(row["milliseconds"] > 0 for row in rows.values())
    assert written["networks"] == {"MLP": "12-40-10"} and written["threads"] == 1
