"""`poolspec leftovers`: list what ended runs have left on this machine.

The search is part of the run side, so it is made in a process of its own, as the tests are.
"""

import argparse
import sys


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--server",
        metavar="URL",
        help="search this server too: mysql://user:password@host/ (default: $POOLSPEC_SERVER)",
    )
    parser.add_argument(
        "--wait",
        type=float,
        metavar="SECONDS",
        default=5.0,
        help="seconds for processes that are about to end (default: 5)",
    )
    parser.add_argument(
        "--here",
        action="store_true",
        help="only processes and directories of runs that were started in the current directory",
    )
    parser.add_argument("--remove", action="store_true", help="remove what is left")


def run(options: argparse.Namespace) -> int:
    """Search, and return the exit code."""
    import subprocess

    server = ["--server", options.server] if options.server else []
    here, remove = ["--here"] * options.here, ["--remove"] * options.remove
    words = [*server, "--wait", str(options.wait), *here, *remove]
    command = [sys.executable, "-P", "-m", "poolspec.leftovers", *words]
    return subprocess.run(command, check=False).returncode
