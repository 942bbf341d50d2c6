"""`poolspec leftovers`: list what ended runs have left on this machine.

The search is part of the run side, so it is made in a process of its own, as the tests are.
"""

import subprocess
import sys
from collections.abc import Sequence


def leftovers(words: Sequence[str]) -> int:
    """Search with these options, and return the exit code."""
    command = [sys.executable, "-P", "-m", "poolspec.leftovers", *words]
    return subprocess.run(command, check=False).returncode
