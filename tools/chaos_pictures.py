"""Draws the pictures of docs/chaos.md: runs its test on each pool, and keeps the time lines.

python tools/chaos_pictures.py      or: make pictures
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
POOLS = ("steadypool", "sqlalchemy", "dbutils")
TEST = "a_cut_of_20_s_under_steady_load"
PICTURE = f"chaos.{TEST}.threads.svg"
IMAGES = ROOT / "docs" / "img"


def main() -> None:
    """Draw the picture of each pool. Raises CalledProcessError if a run fails."""
    IMAGES.mkdir(exist_ok=True)
    for pool in POOLS:
        build = ROOT / "build" / f"chaos-{pool}"
        chosen = ("--pool", pool, "--build", str(build), "-n", "0")
        command = [sys.executable, "-m", "poolspec", "run", *chosen, "--", "-q", "-k", TEST]
        subprocess.run(command, cwd=ROOT, check=True)
        shutil.copyfile(build / "coverage" / "timelines" / PICTURE, IMAGES / f"cut-{pool}.svg")


if __name__ == "__main__":
    main()
