"""Pools that are re-entered in many processes: none hangs, and none loses a connection.

`STEADYPOOL_REENTRY_PROCESSES=200` runs as many processes of each way; the default is a few.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "reentry.py"
PROCESSES = os.environ.get("STEADYPOOL_REENTRY_PROCESSES", "4")


@pytest.mark.parametrize("way", ["signal", "collector"])
def test_no_process_hangs_whose_pool_is_re_entered(way: str) -> None:
    command = [
        sys.executable,
        str(SCRIPT),
        "--processes",
        PROCESSES,
        "--way",
        way,
        "--seconds",
        "0.3",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{way}: {PROCESSES} processes, 0 hung, 0 failed" in done.stdout
