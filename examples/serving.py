"""What the examples that serve HTTP share: a port, and a clear word if it is taken."""

import argparse
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

HOST = "127.0.0.1"


def chosen_port(purpose: str, default: int) -> int:
    """Read --port from the command line, else $PORT, else the default."""
    parser = argparse.ArgumentParser(description=purpose)
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", default)))
    port: int = parser.parse_args().port
    return port


@contextmanager
def port_explained(port: int) -> Iterator[None]:
    """End the program, with exit code 1 and a way out, if the port cannot be listened on."""
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
                f"port {port} on {HOST} may not be used by this user. Choose one above 1023, such "
                "as --port 8000"
            ) from None
        raise
