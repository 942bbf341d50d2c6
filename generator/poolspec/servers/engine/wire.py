"""The bytes of the MySQL protocol: packets in, packets out.

mysql_mimic builds the packets. This module adds affected rows, insert ids and status flags to OK
packets, and SQLSTATEs to errors. It also reads the client's login itself, because the readers of
mysql_mimic loop forever on a truncated packet.
"""

import asyncio
import hashlib
import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

from mysql_mimic import packets
from mysql_mimic.charset import CharacterSet
from mysql_mimic.results import ResultColumn
from mysql_mimic.stream import MysqlStream
from mysql_mimic.types import Capabilities, ColumnType, ServerStatus
from mysql_mimic.utils import nonce

from poolspec.servers.engine.faults import SqlError

PLUGIN = "mysql_native_password"
_UTF8 = CharacterSet.utf8mb4
# Not offered, so never sent: attributes of queries and of connections.
_CAPABILITIES = (
    Capabilities.CLIENT_LONG_PASSWORD
    | Capabilities.CLIENT_FOUND_ROWS
    | Capabilities.CLIENT_CONNECT_WITH_DB
    | Capabilities.CLIENT_PROTOCOL_41
    | Capabilities.CLIENT_TRANSACTIONS
    | Capabilities.CLIENT_SECURE_CONNECTION
    | Capabilities.CLIENT_PLUGIN_AUTH
    | Capabilities.CLIENT_DEPRECATE_EOF
)
_DECIMALS = 10  # decimal places of a computed number, which SQLite stores in binary


class Command(IntEnum):
    """The commands a client may send."""

    QUIT = 1
    INIT_DB = 2
    QUERY = 3
    PING = 14
    CHANGE_USER = 17
    RESET_CONNECTION = 31


class Gone(Exception):  # noqa: N818 — not an error: clients come and go
    """The client has disconnected."""


class Double(float):
    """A number that is a floating point number by its column's type, not by SQLite's arithmetic."""


@dataclass(frozen=True)
class Status:
    """The status of the session, part of every reply."""

    in_transaction: bool
    autocommit: bool

    @property
    def flags(self) -> Any:
        """The status flags of the protocol."""
        flags = ServerStatus(0)
        if self.in_transaction:
            flags |= ServerStatus.SERVER_STATUS_IN_TRANS
        if self.autocommit:
            flags |= ServerStatus.SERVER_STATUS_AUTOCOMMIT
        return flags


@dataclass(frozen=True)
class Credentials:
    """The login that a client sends."""

    user: str
    proof: bytes
    plugin: str | None
    database: str | None


@dataclass(frozen=True)
class Result:
    """The result of a statement: rows with column names, or counts."""

    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[Any]] = ()
    affected: int = 0
    insert_id: int = 0


class Fields:
    """Reads a packet of an untrusted client; raises Gone if it is truncated."""

    def __init__(self, payload: bytes) -> None:
        self.left = payload

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        if len(self.left) < count:
            raise Gone
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def text(self) -> str:
        """Return the bytes before the next zero byte."""
        taken, zero, self.left = self.left.partition(b"\0")
        if not zero:
            raise Gone
        return taken.decode(errors="replace")


class Wire:
    """One client's socket; raises Gone when the client has left."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._stream = MysqlStream(reader, writer)
        self._capabilities = Capabilities(0)
        self.challenge = nonce(20)

    async def read(self) -> bytes:
        """Return the next packet."""
        payload = b""
        try:
            while True:
                (header,) = struct.unpack("<I", await self._reader.readexactly(4))
                self._stream.seq.value = (header >> 24) + 1 & 0xFF
                part = await self._reader.readexactly(header & 0xFFFFFF)
                payload += part
                if len(part) < 0xFFFFFF:
                    return payload
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Gone from None

    async def greet(self, version: str, connection_id: int) -> Credentials:
        """Send the greeting, and return the client's login."""
        await self._write(
            packets.make_handshake_v10(
                capabilities=_CAPABILITIES,
                server_charset=_UTF8,
                server_version=version,
                connection_id=connection_id,
                auth_data=self.challenge + b"\x00",
                status_flags=ServerStatus.SERVER_STATUS_AUTOCOMMIT,
                auth_plugin_name=PLUGIN,
            )
        )
        fields = Fields(await self.read())
        (wanted,) = struct.unpack("<I", fields.take(4))
        self._capabilities = _CAPABILITIES & Capabilities(wanted)
        fields.take(28)  # packet size, charset, filler
        user = fields.text()
        proof = fields.take(fields.take(1)[0])
        database = self._has(Capabilities.CLIENT_CONNECT_WITH_DB) and fields.text()
        plugin = self._has(Capabilities.CLIENT_PLUGIN_AUTH) and fields.text()
        return Credentials(user, proof, plugin or None, database or None)

    async def ask_for_plugin(self) -> bytes:
        """Have the client answer the challenge by the only supported method."""
        await self._write(packets.make_auth_switch_request(_UTF8, PLUGIN, self.challenge + b"\x00"))
        return await self.read()

    def change_user(self, payload: bytes) -> Credentials:
        """Read a change of user."""
        fields = Fields(payload)
        user = fields.text()
        proof = fields.take(fields.take(1)[0])
        database = fields.text()
        plugin = fields.take(2) and fields.text() if fields.left else ""
        return Credentials(user, proof, plugin or None, database or None)

    def query(self, payload: bytes) -> str:
        """Read a statement."""
        return payload.decode(errors="replace")

    async def ok(self, status: Status, result: Result) -> None:
        """Send an OK packet."""
        await self._write(
            packets.make_ok(
                self._capabilities,
                status.flags,
                affected_rows=result.affected,
                last_insert_id=result.insert_id,
            )
        )

    async def error(self, error: SqlError) -> None:
        """Send an error packet."""
        state = b"#" + error.state.encode() if self._capabilities else b""
        await self._write(b"\xff" + struct.pack("<H", error.code) + state + error.message.encode())

    async def rows(self, status: Status, result: Result) -> None:
        """Send a result set."""
        columns = [_column(name, i, result.rows) for i, name in enumerate(result.columns)]
        self._stream.write_many(
            [packets.make_column_count(self._capabilities, len(columns))]
            + [
                packets.make_column_definition_41(
                    _UTF8, name=c.name, column_type=c.type, character_set=c.character_set
                )
                for c in columns
            ]
        )
        modern = Capabilities.CLIENT_DEPRECATE_EOF in self._capabilities
        if not modern:
            self._stream.write_many([packets.make_eof(self._capabilities, status.flags)])
        self._stream.write_text_rows(result.rows, columns)
        make_end = packets.make_ok if modern else packets.make_eof
        ending = {"eof": True} if modern else {}
        await self._write(make_end(self._capabilities, status.flags, **ending))

    def new_command(self) -> None:
        """Restart the numbering of packets."""
        self._stream.reset_seq()

    def _has(self, capability: Any) -> bool:
        return capability in self._capabilities

    async def _write(self, payload: bytes) -> None:
        try:
            await self._stream.write(payload)
        except ConnectionError:
            raise Gone from None


def password_hash(password: str) -> bytes:
    """Return the stored hash of a password, which does not allow a login by itself."""
    return _sha1(_sha1(password.encode()))


def proves(proof: bytes, challenge: bytes, stored: bytes) -> bool:
    """Return whether the answer to the challenge was made with the password."""
    if len(proof) != 20:
        return False
    mask = _sha1(challenge + stored)
    return hmac.compare_digest(
        _sha1(bytes(a ^ b for a, b in zip(proof, mask, strict=True))), stored
    )


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _column(name: str, index: int, rows: Sequence[Sequence[Any]]) -> Any:
    sample = next((row[index] for row in rows if row[index] is not None), "")
    encoder = _as_decimal if type(sample) is float else None
    charset = CharacterSet.binary if isinstance(sample, bytes) else _UTF8
    return ResultColumn(name, _type_of(sample), charset, text_encoder=encoder)


def _as_decimal(_: Any, value: Any) -> bytes:
    # Numbers that MySQL computes are decimals; some rows may hold integers.
    text = f"{value:.{_DECIMALS}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).encode()


_TYPES = (
    (int, ColumnType.LONGLONG),
    (Double, ColumnType.DOUBLE),
    (float, ColumnType.NEWDECIMAL),
    (Decimal, ColumnType.NEWDECIMAL),
    (bytes, ColumnType.BLOB),
    (datetime, ColumnType.DATETIME),
    (date, ColumnType.DATE),
)


def _type_of(sample: object) -> Any:
    return next(
        (kind for python, kind in _TYPES if isinstance(sample, python)), ColumnType.VAR_STRING
    )
