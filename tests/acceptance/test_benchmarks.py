"""The benchmarks run to their end: small here, and their figures mean nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NEEDS_POSTFIX = pytest.mark.skipif(
    shutil.which("smtp-sink", path="/usr/sbin:/usr/bin") is None,
    reason="smtp-sink is not installed: it comes with Debian's package postfix",
)


@pytest.mark.parametrize(
    ("command", "tells"),
    [
        ("message_building.py --customers 1 --rounds 1", "of the plain way"),
        pytest.param(
            "throughput.py --messages 200 --rounds 1", "x smtp-source", marks=NEEDS_POSTFIX
        ),
        pytest.param("stages.py --messages 200 --rounds 1", "hand-over", marks=NEEDS_POSTFIX),
    ],
    ids=["message_building", "throughput", "stages"],
)
def test_a_benchmark_runs_to_its_end(command: str, tells: str) -> None:
    script, *options = command.split()
    done = subprocess.run(
        [sys.executable, BENCHMARKS / script, *options], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert tells in done.stdout
