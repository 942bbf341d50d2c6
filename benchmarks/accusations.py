"""Loads control pools on a busy machine, many times, and counts how often each is accused.

`FairPool`, `LateFairPool` and `HelpedFairPool` serve waiters strictly in order; the lab must never
accuse them. `BargingPool` lets a releaser take its connection again before the waiter that it woke
can run; the lab must accuse it of starvation in every run. Meanwhile, endless loops in processes of
their own keep all processors busy.

    python benchmarks/accusations.py [--runs 1000] [--barging 100] [--busy 2]

The exit code is 0 when no fair pool was accused of anything and the barging one always was.
"""

import argparse
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.lab.control_pools import (
    BargingPool,
    ControlAdapter,
    FairPool,
    HelpedFairPool,
    LateFairPool,
)

from poolspec.invariants.defects import BrokenInvariantsError
from poolspec.invariants.marks import SEEN_WAITING
from poolspec.lab.threads.lab import Lab
from poolspec.vocabulary import Connections, Operation, TimeKind

Make = Callable[..., Any]
FAIR: tuple[Make, ...] = (FairPool, LateFairPool, HelpedFairPool)
EVERY = 50
"""Runs between two lines of the report."""


@contextmanager
def busy_processors(number: int) -> Iterator[None]:
    """Keep so many processors busy within the block."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(number)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def run(make: Make, clients: int, each: int, size: int, hold: float) -> tuple[list[str], int]:
    """Load a pool; return what it is accused of, and how many certain waits were seen."""
    lab = Lab(None, ControlAdapter(make), TimeKind.REAL, Connections.SCRIPTED)
    try:
        lab.pool(size=size, timeout=30.0)
        mix = {Operation.BORROW: 1}
        lab.load(clients=clients, each=each, mix=mix, hold=(hold / 2, hold))
        seen = [entry.kind == SEEN_WAITING and not entry.detail for entry in lab_log(lab)]
        lab.verify()
        return [], sum(seen)
    except BrokenInvariantsError as error:
        return [line for finding in error.findings for line in finding.lines()], sum(seen)
    finally:
        lab.dispose()


def lab_log(lab: Lab) -> list[Any]:
    """Return the entries of a test's log."""
    return lab.context.log.entries()


def main() -> int:
    """Run, report, and return the exit code."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--runs", type=int, default=1000)
    options.add_argument("--barging", type=int, default=100)
    options.add_argument("--busy", type=int, default=2)
    chosen = options.parse_args()
    accused: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    with ExitStack() as stack:
        stack.enter_context(busy_processors(chosen.busy))
        for number in range(chosen.runs):
            make = FAIR[number % len(FAIR)]
            shape = (
                random.choice([4, 12, 30]),
                8,
                random.choice([1, 2, 3]),
                random.choice([0, 2e-3]),
            )
            said, certain = run(make, *shape)
            accused[make.__name__] += bool(said)
            seen[make.__name__] += certain
            if said:
                print(make.__name__, shape, *said, sep="\n", flush=True)
            if (number + 1) % EVERY == 0:
                print(f"{number + 1} runs: accused {dict(accused)}, seen {dict(seen)}", flush=True)
        barging = [bool(run(BargingPool, 20, 25, 2, 3e-3)[0]) for _ in range(chosen.barging)]
    print(f"BargingPool: accused in {sum(barging)} of {len(barging)} runs")
    return int(any(accused.values()) or not all(barging))


if __name__ == "__main__":
    sys.exit(main())
