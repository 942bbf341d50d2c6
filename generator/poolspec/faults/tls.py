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
from tempfile import mkdtemp
from typing import Any

from poolspec.folders import make_folder
from poolspec.servers import Address, listening_socket
from poolspec.vocabulary import Fault

TLS_FAULTS = frozenset(fault for fault in Fault if fault.value.startswith("tls_"))
"""The faults that a front sets."""
_NOTHING = b"nothing of use\n"
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

    def __init__(self, server: Address, asks: bool) -> None:
        self._server = server
        self._folder = make_folder()
        folder = self._folder.path
        self.authorities = folder / "authorities.pem"
        """The file of authorities for the configuration of a pool."""
        self.certificate = folder / "client" / "client.pem" if asks else None
        """The file of the client's certificate, in a folder that is a symbolic link."""
        self._sockets: set[socket.socket] = set()
        self._rotate_server()
        self._rotate_client()
        self._listener = listening_socket()
        self.address = Address(*self._listener.getsockname())
        self._thread = threading.Thread(target=self._accept, name="TLS front", daemon=True)
        self._thread.start()

    def set(self, fault: Fault) -> None:
        """Begin a fault of `TLS_FAULTS`."""
        if fault is Fault.TLS_AUTHORITY_ROTATED:
            self._rotate_server()
        elif fault is Fault.TLS_CLIENT_ROTATED:
            self._rotate_client()
        elif fault is Fault.TLS_SERVER_UNTRUSTED:
            self._context = self._made(_authority().issue_cert("127.0.0.1"), self._clients)
        elif fault is Fault.TLS_CLIENT_UNTRUSTED:
            self._context = self._made(self._own, _authority())
        elif fault is Fault.TLS_FILE_MISSING:
            self.authorities.unlink()
        elif fault is Fault.TLS_AUTHORITY_BROKEN:
            _replace(self.authorities, _NOTHING)
        else:
            self._break_client(fault)

    def mend(self) -> None:
        """End all faults."""
        self._context = self._made(self._own, self._clients)
        _replace(self.authorities, self._servers.cert_pem.bytes())
        if self.certificate is not None:
            self._link_client()

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
        self._folder.close()

    # --- parts -----------------------------------------------------------------------------------

    def _rotate_server(self) -> None:
        """Give the server a certificate of a new authority, and put the authority into the file."""
        self._servers = _authority()
        self._own = self._servers.issue_cert("127.0.0.1")
        self._clients = _authority()
        self.mend()

    def _rotate_client(self) -> None:
        """Accept clients of a new authority only, and give the client a certificate of it."""
        self._clients = _authority()
        self.mend()

    def _break_client(self, fault: Fault) -> None:
        """Replace the file of the client's certificate, or that of its key."""
        assert self.certificate is not None, "open a pool with `target: tls_client` first"
        if fault is Fault.TLS_CLIENT_BROKEN:
            _replace(self.certificate, _NOTHING)
            return
        other = self._clients.issue_cert("127.0.0.1").private_key_pem.bytes()
        content = {Fault.TLS_KEY_BROKEN: _NOTHING, Fault.TLS_KEY_FOREIGN: other}
        key = content[fault] if fault in content else _encrypted(other)
        _replace(self.certificate.with_suffix(".key"), key)

    def _link_client(self) -> None:
        """Let the folder of the client's files be a new one, with a new certificate."""
        assert self.certificate is not None
        made, link = Path(mkdtemp(dir=self._folder.path)), self.certificate.parent
        client = self._clients.issue_cert("client.test")
        (made / "client.pem").write_bytes(client.cert_chain_pems[0].bytes())
        (made / "client.key").write_bytes(client.private_key_pem.bytes())
        new = made.with_suffix(".link")
        new.symlink_to(made)
        new.replace(link)

    def _made(self, certificate: Any, clients: Any) -> ssl.SSLContext:
        """Return the server's side of TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        if self.certificate is not None:
            clients.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

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
            client = _secured(client, self._context)
            number, login = _read(client)
        flags = int.from_bytes(login[:4], "little") & ~_TLS
        _write(server, 1, flags.to_bytes(4, "little") + login[4:])
        return client


def _authority() -> Any:
    import trustme  # optional, and slow to import

    return trustme.CA()


def _encrypted(key: bytes) -> bytes:
    """Return a private key that needs a password."""
    from cryptography.hazmat.primitives import serialization  # trustme needs it

    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"unknown to the pool"),
    )


def _replace(file: Path, content: bytes) -> None:
    made = file.with_suffix(".new")
    made.write_bytes(content)
    made.replace(file)


def _secured(client: socket.socket, context: ssl.SSLContext) -> socket.socket:
    """Return the client's socket with TLS; if that fails, let the client read the reason."""
    secured = context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
    try:
        secured.do_handshake()
    except OSError:
        with suppress(OSError):  # the client has left
            socket.socket.shutdown(secured, socket.SHUT_WR)
            while socket.socket.recv(secured, _CHUNK):
                pass
        secured.close()
        raise
    return secured


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
