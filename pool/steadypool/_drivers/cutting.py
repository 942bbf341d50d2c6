"""Cuts off the connections of asyncio drivers whose event loop has ended or does not run.

A transport closes its socket in a later pass of its event loop, which may never come. So this
module shuts the socket down and closes it. The loop no longer watches it, because the transport was
aborted.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from steadypool._drivers.async_dbapi import abort


def cut_off(connection: Any, ended: bool) -> None:
    """Close a connection and its socket at once; `ended`: its event loop is closed."""
    transports = list(_transports(connection))
    if not ended:
        for transport in transports:
            _shut_down(transport)
    abort(connection)
    for transport in transports:
        source = getattr(transport.get_extra_info("socket"), "_sock", None)
        if isinstance(source, socket.socket):
            with suppress(OSError):  # not connected any more
                source.shutdown(socket.SHUT_RDWR)
            source.close()
            if ended:
                _forget(transport, source)
    if ended and getattr(connection, "_writer", None) is not None:
        connection._writer = None  # which aiomysql and asyncmy would have done


def _transports(connection: Any) -> Iterator[Any]:
    for name in ("_writer", "_closing_writer", "_transport"):  # of aiomysql, asyncmy and asyncpg
        found = getattr(connection, name, None)
        transport = getattr(found, "transport", found)
        if hasattr(transport, "get_extra_info"):
            yield transport


def _shut_down(transport: Any) -> None:
    """Shut the socket of an open transport down, also if only the event loop can close it."""
    if not transport.is_closing():
        with (
            suppress(OSError, ValueError),  # not connected, or not open any more
            socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as copy,
        ):
            copy.shutdown(socket.SHUT_RDWR)


def _forget(transport: Any, source: socket.socket) -> None:
    """Let the finalizers of a transport and of the one below TLS not warn of a closed socket."""
    below: Any = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    for one in (transport, below):
        if getattr(one, "_sock", None) is source:
            one._sock = None
