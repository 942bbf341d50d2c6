"""The doubts about the session of a connection, which it keeps until it returns.

A borrower can leave three things behind that the transaction status of the server does not show:

* a mode for the next transaction. `SET TRANSACTION READ ONLY`, or a system variable of that kind
  set without `SESSION`, lasts until the next transaction, even if that is the next borrower's. A
  rollback clears it. The text of a statement shows whether it may set a mode. The text of a stored
  procedure or a prepared statement is at the server, so each call or execution counts;
* another session. The driver connected again, so the effect of `setup` is lost;
* a connection to a read-only server, which refused a write. A former primary does so after a
  failover.

The doubts of a connection are the sum of the numbers below. While there are any, the connection is
`uncertain`. The pool reads the doubts only then.
"""

import re
from typing import Any

from steadypool._core.entries import ConnectionState

MODE_SET = 1
"""The next transaction may have a mode of its own; a rollback or a commit ends this doubt."""
RECONNECTED = 2
"""The session is not the one in which `setup` ran."""
READ_ONLY = 4
"""The server refused to write because it is read-only."""


_FIRST_WORD = re.compile(rb"\s*([A-Za-z]+)")
_HARMLESS = frozenset(
    (b"select", b"insert", b"update", b"delete", b"replace", b"commit", b"rollback", b"show")
)
"""First words of statements that set no mode, unless another statement follows."""
_SUSPECT = (b"transaction", b"tx_", b"execute", b"call")
"""Words in statements that may set a mode."""
_ENDS = frozenset((b"commit", b"rollback", b"commit work", b"rollback work"))
_LONGEST_END = 20

_NAMES_READ_ONLY = re.compile(r"read[-_ ]only", re.IGNORECASE)
_OPTION_PREVENTS_STATEMENT = 1290
"""The server's error for several options; its text names the option."""
_READ_ONLY_ERRORS = (1836, 1874)
"""The errors of a server, or of its InnoDB, that runs in read-only mode.

1792 is not among them: there the transaction is read-only, not the server.
"""
_LONGEST_CHAIN = 10


class Doubting:
    """The part of a connection that keeps its doubts."""

    uncertain = False
    """A transaction may be open that the server has not reported, or there are doubts."""
    doubts = 0

    def pool_accept(self, was_reset: bool = False) -> None:
        """Accept the current session as that of the connection.

        A session that was just reset has no transaction.
        """
        self.doubts &= MODE_SET
        if was_reset:
            self.uncertain = bool(self.doubts)

    def pool_reconnected(self) -> bool:
        """Return whether the driver connected again since `pool_accept`."""
        return bool(self.doubts & RECONNECTED)

    def _doubtful_state(self) -> ConnectionState:
        """Return the state of an uncertain connection, or of one in a transaction."""
        if self.doubts & READ_ONLY:
            return ConnectionState.READ_ONLY
        if self.doubts & RECONNECTED:
            return ConnectionState.RECONNECTED
        return ConnectionState.IN_TRANSACTION

    def _note_new_session(self) -> None:
        self.doubts = self.doubts & ~MODE_SET | RECONNECTED
        self.uncertain = True

    def _note_answer(self, unknown: bool = False) -> None:
        """`unknown`: the answer does not show whether a transaction is open."""
        self.uncertain = unknown or bool(self.doubts)

    def _note_error(self, error: BaseException) -> None:
        if _is_read_only(error):
            self.doubts |= READ_ONLY
            self.uncertain = True


def number_of(connection: Any) -> object:
    """Return a connection's number at the server, if its driver knows it; never raises."""
    try:
        found = getattr(connection, "thread_id", None) or getattr(connection, "connection_id", None)
        return found() if callable(found) else found
    except Exception:
        return None


def after_statement(doubts: int, statement: str | bytes, several: bool = True) -> int:
    """Return the doubts after this statement; `several`: its text may have several statements."""
    text = statement.encode(errors="replace") if isinstance(statement, str) else statement
    if len(text) <= _LONGEST_END and text.strip(b" \t\r\n;").lower() in _ENDS:
        return doubts & ~MODE_SET
    return doubts | MODE_SET if _may_set_mode(text, several) else doubts


def _may_set_mode(text: bytes, several: bool) -> bool:
    first = _FIRST_WORD.match(text)
    if first and first[1].lower() in _HARMLESS and not (several and b";" in text):
        return False
    lowered = text.lower()
    return any(word in lowered for word in _SUSPECT)


def shows_read_only(error: BaseException | None) -> bool:
    """Whether an error, or one that it was raised from, says that the server is read-only."""
    for _ in range(_LONGEST_CHAIN):
        if error is None:
            return False
        if _is_read_only(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_read_only(error: BaseException) -> bool:
    found: tuple[Any, ...] = error.args
    if not found:
        return False
    if found[0] == _OPTION_PREVENTS_STATEMENT:
        return _NAMES_READ_ONLY.search(str(error)) is not None
    return found[0] in _READ_ONLY_ERRORS
