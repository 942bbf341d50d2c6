"""A server that greets each client as the real one does, and hangs up."""

import socket
import threading
from contextlib import suppress

from poolspec.servers import Address, listening_socket


class Greeter:
    """The server. It runs in a thread."""

    def __init__(self, server: Address) -> None:
        with socket.create_connection((server.host, server.port)) as source:
            length = int.from_bytes(source.recv(3, socket.MSG_WAITALL), "little")
            rest = source.recv(length + 1, socket.MSG_WAITALL)
        self._greeting = length.to_bytes(3, "little") + rest
        self._listener = listening_socket()
        self.address = Address(*self._listener.getsockname())
        self._thread = threading.Thread(target=self._greet, name="greeter", daemon=True)
        self._thread.start()

    def hang_up(self) -> None:
        """Accept no more connections. Idempotent."""
        with suppress(OSError):  # closed before
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _greet(self) -> None:
        with suppress(OSError):  # hung up
            while True:
                client, _ = self._listener.accept()
                with client, suppress(OSError):  # the client has left
                    client.sendall(self._greeting)
