"""The benchmark runs and writes what it promises; its times are for an idle machine."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "training_step.py"


def test_the_plain_network_is_the_measure(tmp_path):
    output = tmp_path / "training_step.json"
    options = ["--network", "MLP", "--variant", "stochastic binary", "--rounds", "1"]
    command = [sys.executable, SCRIPT, *options, "--output", output]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    plain, stochastic = json.loads(output.read_text())["rows"]
    assert (plain["variant"], plain["ratio"]) == ("plain Keras", 1.0)
    assert (stochastic["variant"], stochastic["limit"]) == ("stochastic binary", 1.1)
    assert stochastic["ratio"] > 0 and stochastic["milliseconds"] > 0
    assert "MLP (ratio)" in shown and "stochastic binary" in shown
