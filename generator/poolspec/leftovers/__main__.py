"""The command `poolspec leftovers`, in a process of its own: it belongs to the run side."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from poolspec.leftovers.finding import Leftovers, settled
from poolspec.servers import ServerError
from poolspec.servers.choice import kind_of
from poolspec.servers.url import UrlServer, is_url, open_url

NOTHING, LEFT, BAD_INPUT = 0, 1, 2
WAIT_SECONDS = 5.0


def main() -> int:
    """List what ended runs have left; return the exit code."""
    options = _parser().parse_args()
    place = Path.cwd() if options.here else None
    try:
        with _server(options.server) as server:
            found = settled(server, options.wait, place)
            _say(found)
            if found and options.remove:
                found.remove()
                found = settled(server, 0.0, place)
                _say_removed(found)
    except ServerError as error:
        print(f"poolspec: --server: {error}", file=sys.stderr)
        return BAD_INPUT
    return LEFT if found else NOTHING


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="poolspec leftovers")
    parser.add_argument("--server", default=os.environ.get("POOLSPEC_SERVER", ""))
    parser.add_argument("--wait", type=float, default=WAIT_SECONDS)
    parser.add_argument("--here", action="store_true")
    parser.add_argument("--remove", action="store_true")
    return parser


@contextmanager
def _server(choice: str) -> Iterator[UrlServer | None]:
    """Connect to a server named by a URL; a private one leaves nothing but its directory."""
    server = open_url(choice) if is_url(choice) else None
    if choice and server is None:
        kind_of(choice)  # a word that is no server would hide what a server has
    try:
        yield server
    finally:
        if server is not None:
            server.stop()


def _say(found: Leftovers) -> None:
    if found.foreign:
        print("of other machines, or from before a restart; their runs may be alive:")
        _print(f"database and user {name}" for name in found.foreign)
    if found:
        print("left by runs that have ended:")
        _print(found.lines())
    else:
        print("nothing is left")


def _say_removed(found: Leftovers) -> None:
    if found:
        print("could not be removed:")
        _print(found.lines())
    else:
        print("all of it was removed")


def _print(lines: Iterator[str]) -> None:
    for line in lines:
        print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main())
