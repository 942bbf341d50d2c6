"""A front of the server that offers TLS, with certificates made for one test.

The front speaks TLS with the pool and plain text with the server, so it works for servers without a
certificate. During sign-in it adds the offer of TLS to the server's greeting, and takes the request
for TLS out of the client's packets; after that it forwards all bytes. Everything else is the
server's: the account, the number of the connection, the session.

Each connection has a thread, which ends with the connection.
"""

import select
import socket
import ssl
import threading
from contextlib import suppress
from pathlib import Path

from poolspec.servers import Address, bound_socket

_TLS = 0x0800
"""The capability flag of TLS."""
_REQUEST_LENGTH = 32
"""The length of a client's request for TLS."""
_ERROR, _OK, _MORE = 0xFF, 0x00, 0x01
_DONE = 3
"""In a packet of more data: the fast way of a sign-in succeeded, and an OK follows."""
_CHUNK = 65536


class TlsFront:
    """The front. All methods are thread-safe."""

    def __init__(self, server: Address, folder: Path) -> None:
        self._server = server
        self.authorities = folder / "authorities.pem"
        """The file of authorities for the configuration of a pool."""
        self._sockets: set[socket.socket] = set()
        self.rotate()
        self._listener = bound_socket()
        self._listener.listen()
        self.address = Address(*self._listener.getsockname())
        self._thread = threading.Thread(target=self._accept, name="TLS front", daemon=True)
        self._thread.start()

    def rotate(self) -> None:
        """Give the server a certificate of a new authority, and put the authority into the file."""
        import trustme  # optional, and slow to import

        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self._context = context
        self._certificate = authority.cert_pem.bytes()
        self.mend_file()

    def break_file(self) -> None:
        """Replace the file of authorities by one that holds none."""
        self._replace(b"no certificate\n")

    def mend_file(self) -> None:
        """Put the right authority into the file."""
        self._replace(self._certificate)

    def hang_up(self) -> None:
        """Accept no more connections; those that are open stay. Idempotent."""
        with suppress(OSError):  # closed before
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def close(self) -> None:
        """End everything."""
        self.hang_up()
        for one in tuple(self._sockets):
            with suppress(OSError):  # closed meanwhile
                socket.socket.shutdown(one, socket.SHUT_RDWR)

    # --- parts -----------------------------------------------------------------------------------

    def _replace(self, content: bytes) -> None:
        made = self.authorities.with_suffix(".new")
        made.write_bytes(content)
        made.replace(self.authorities)

    def _accept(self) -> None:
        with suppress(OSError):  # hung up
            while True:
                client, _ = self._listener.accept()
                name = "connection of the TLS front"
                threading.Thread(target=self._serve, args=(client,), name=name, daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        opened = {client}
        try:
            server = socket.create_connection((self._server.host, self._server.port))
            opened.add(server)
            self._sockets |= opened
            with suppress(OSError):  # the client or the server has left
                secured = self._introduce(client, server)
                opened.add(secured)
                self._sockets.add(secured)
                if _signed_in(secured, server):
                    _forward(secured, server)
        finally:
            self._sockets -= opened
            for one in opened:
                one.close()

    def _introduce(self, client: socket.socket, server: socket.socket) -> socket.socket:
        """Forward greeting and login; return the client's socket, with TLS if it asked for it."""
        number, greeting = _read(server)
        _write(client, number, _offering(greeting))
        number, login = _read(client)
        if len(login) == _REQUEST_LENGTH:
            client = self._context.wrap_socket(client, server_side=True)
            number, login = _read(client)
        flags = int.from_bytes(login[:4], "little") & ~_TLS
        _write(server, 1, flags.to_bytes(4, "little") + login[4:])
        return client


def _offering(greeting: bytes) -> bytes:
    """Return a greeting with the offer of TLS."""
    if greeting[0] == _ERROR:
        return greeting
    place = greeting.index(b"\0", 1) + 1 + 4 + 8 + 1  # version, number, part of a nonce, filler
    flags = int.from_bytes(greeting[place : place + 2], "little") | _TLS
    return greeting[:place] + flags.to_bytes(2, "little") + greeting[place + 2 :]


def _signed_in(client: socket.socket, server: socket.socket) -> bool:
    """Forward the rest of a sign-in; the client's packets have numbers one higher under TLS."""
    shift = int(isinstance(client, ssl.SSLSocket))
    while True:
        number, answer = _read(server)
        _write(client, number + shift, answer)
        if answer[0] in (_OK, _ERROR):
            return answer[0] == _OK
        if answer[0] != _MORE or answer[1] != _DONE:
            number, reply = _read(client)
            _write(server, number - shift, reply)


def _forward(client: socket.socket, server: socket.socket) -> None:
    """Forward all bytes until one side ends."""
    while True:
        pending = isinstance(client, ssl.SSLSocket) and client.pending()
        ready = [client] if pending else select.select([client, server], [], [])[0]
        for source in ready:
            data = source.recv(_CHUNK)
            if not data:
                return
            (server if source is client else client).sendall(data)


def _read(source: socket.socket) -> tuple[int, bytes]:
    """Return the number and the content of the next packet."""
    header = _exactly(source, 4)
    return header[3], _exactly(source, int.from_bytes(header[:3], "little"))


def _write(target: socket.socket, number: int, content: bytes) -> None:
    target.sendall(len(content).to_bytes(3, "little") + bytes([number]) + content)


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = source.recv(count - len(data))
        if not part:
            raise ConnectionError("closed")
        data += part
    return data
