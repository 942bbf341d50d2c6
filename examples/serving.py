"""Shared by the HTTP examples: the port option, and clear errors for an unusable port."""

import argparse
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

HOST = "127.0.0.1"


def chosen_port(purpose: str, default: int) -> int:
    """Return --port from the command line, else $PORT, else the default."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", default)))
    port: int = parser.parse_args().port
    return port


@contextmanager
def port_errors(port: int) -> Iterator[None]:
    """Exit with code 1 and advice if the port cannot be used."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SystemExit(
                f"port {port} on {HOST} is taken by another program. Stop that program (`ss -ltnp` "
                f"shows it), or choose another port: --port {port + 1}"
            ) from None
        if error.errno == errno.EACCES:
            raise SystemExit(
                f"port {port} on {HOST} is reserved for privileged users. Choose a port above "
                "1023, such as --port 8000"
            ) from None
        raise
