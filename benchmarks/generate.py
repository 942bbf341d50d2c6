"""Measures `poolspec gen` on many large specs.

The script writes 1,000 spec files of 20 tests each (about 300 lines per file) to a temporary
folder: copies of the classes in `specs/` under new names. It generates them several times into an
empty folder, and once more without changes. It prints the wall time and processor time of each run,
and the best run. It removes the folder at the end. A run may take two minutes at most.

    python benchmarks/generate.py [FILES [RUNS]]

The goal is under 8 s of wall time for 1,000 files on two cores. Measure on a quiet machine.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

SPECS = Path(__file__).parent.parent / "specs"
TESTS_A_FILE = 20
LONGEST = 16
"""Maximum length of a copied test in lines, with the blank line after it."""
LIMIT = 120.0
"""Time limit of a run in seconds."""
NAMED = "class: Generated{number}\npurpose: Class {number} of the benchmark.\n"


@dataclass(frozen=True)
class Bundled:
    """A bundled class: its keys without name and purpose, and the texts of its tests."""

    keys: str
    tests: list[str]

    def text(self, number: int) -> str:
        """Return a class of many such tests under new names."""
        tests = islice(cycle(self.tests), TESTS_A_FILE)
        named = "".join(f"  t{at}_{test}" for at, test in enumerate(tests))
        return f"{self.keys}{NAMED.format(number=number)}\ntests:\n{named}"


def bundled_classes() -> list[Bundled]:
    """Return the bundled classes with their tests, without long tests."""
    found = []
    for file in sorted(SPECS.glob("*.yaml")):
        head, _, body = file.read_text(encoding="utf-8").partition("\ntests:\n")
        keys = re.sub(r"(?m)^(class|purpose|description):.*\n(  .*\n)*|^#.*\n", "", head + "\n")
        plain = re.sub(r"(?m)^  #.*\n", "", body)
        tests = re.split(r"(?m)^  (?=[a-z0-9_]+:$)", plain)[1:]
        short = [test.rstrip() + "\n\n" for test in tests if test.count("\n") <= LONGEST]
        found += [Bundled(keys, short)] if short else []
    return found


def make_specs(folder: Path, files: int) -> int:
    """Write the specs and return their number of lines."""
    folder.mkdir()
    for file in SPECS.glob("*.yaml"):
        if "\nclass:" not in file.read_text(encoding="utf-8"):
            shutil.copy(file, folder)  # profiles, requirements or tables
    classes = cycle(bundled_classes())
    texts = [one.text(number) for number, one in zip(range(files), classes, strict=False)]
    for number, text in enumerate(texts):
        (folder / f"generated_{number:04}.yaml").write_text(text, encoding="utf-8")
    return sum(text.count("\n") for text in texts)


def measured(root: Path) -> tuple[float, float]:
    """Generate once; return the wall time and the processor time of all processes, in seconds."""
    before, start = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "poolspec", "gen"]
    subprocess.run(command, cwd=root, check=True, timeout=LIMIT, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system
    return wall, used - before.children_user - before.children_system


def runs(root: Path, count: int) -> Iterator[tuple[float, float]]:
    """Generate several times into an empty folder."""
    for _ in range(count):
        shutil.rmtree(root / "generated_tests", ignore_errors=True)
        shutil.rmtree(root / "docs", ignore_errors=True)
        yield measured(root)


def main(files: int = 1000, count: int = 3) -> None:
    with tempfile.TemporaryDirectory(prefix="poolspec-benchmark-") as name:
        root = Path(name)
        lines = make_specs(root / "specs", files)
        print(f"{files} specs, {files * TESTS_A_FILE} tests, {lines // files} lines per file")
        best = float("inf")
        for wall, used in runs(root, count):
            best = min(best, wall)
            print(f"all new     {wall:6.2f} s wall, {used:6.2f} s of processor time")
        wall, used = measured(root)
        print(f"unchanged   {wall:6.2f} s wall, {used:6.2f} s of processor time")
        print(f"best        {best:6.2f} s wall, on {os.cpu_count()} processors")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:3]))
