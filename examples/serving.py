"""Shared by the HTTP examples: the port option, and clear errors for an unusable port."""

import argparse
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HOST = "127.0.0.1"
_LISTENS = "0A"


def chosen_port(purpose: str, default: int) -> int:
    """Return --port from the command line, else $PORT, else the default."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--port", type=_port, default=os.environ.get("PORT", str(default)))
    port: int = parser.parse_args().port
    return port


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; expected 1 to 65535")
    return int(text)


@contextmanager
def port_errors(port: int) -> Iterator[None]:
    """Exit with code 1 and advice if the port cannot be used."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SystemExit(
                f"port {port} on {HOST} is taken by {_holder(port)}. Stop that program, or choose "
                f"another port: --port {port + 1}"
            ) from None
        if error.errno == errno.EACCES:
            raise SystemExit(
                f"port {port} on {HOST} is reserved for privileged users. Choose a port above "
                "1023, such as --port 8000"
            ) from None
        raise


def _holder(port: int) -> str:
    """Return the process that listens on a port, where the system shows it (Linux)."""
    with suppress(OSError):
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        ends = f":{port:04X}"
        sockets = {
            f"socket:[{row[9]}]" for row in rows if row[1].endswith(ends) and row[3] == _LISTENS
        }
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended, or belongs to another user
                if any(str(link.readlink()) in sockets for link in (process / "fd").iterdir()):
                    name = (process / "comm").read_text().strip()
                    return f"{name}, process {process.name}"
    return "another program"
