"""Inspects, resets and closes connections of any asyncio driver.

A `SelfAware` connection, such as those of steadypool's own driver, reports its state. Any other
connection comes from a `connect` callable. Its methods may be plain or async, and the pool assumes
the worst about anything the connection cannot report. `commit` and `begin` raise the driver's
errors. All other functions raise nothing except a cancellation, which always propagates; a
cancelled `close` has aborted the connection.
"""

import asyncio
import inspect
import select
from abc import ABC, abstractmethod
from typing import Any

from steadypool._core.entries import Answer, ConnectionState, Loss
from steadypool._core.settings import Reset
from steadypool._drivers import session
from steadypool._drivers.silence import SHORTEST_SILENCE, SignsOfLife, shortest, timed_out

CLOSE_LIMIT = 2.0
"""Seconds that a normal close may take; then the connection is aborted."""
RESET_LIMIT = 5.0
"""Seconds that the reset of a foreign connection may take; then it is dropped."""
UNUSABLE = (
    ConnectionState.UNREAD,
    ConnectionState.CLOSED,
    ConnectionState.RECONNECTED,
    ConnectionState.READ_ONLY,
)


class SelfAware(ABC):
    """A connection that reports its own state to the pool."""

    @abstractmethod
    def pool_state(self) -> ConnectionState:
        """Return the state from local knowledge; sends nothing."""

    @abstractmethod
    def pool_accept(self, was_reset: bool = False) -> None:
        """Accept the current session as that of the connection."""

    @abstractmethod
    def pool_reconnected(self) -> bool:
        """Return whether the driver connected again since `pool_accept`."""

    @abstractmethod
    def pool_alive(self) -> bool:
        """Return, without a round trip, whether the connection can still be alive."""

    @abstractmethod
    async def pool_ping(self) -> None:
        """Make a round trip; raise if it fails."""

    @abstractmethod
    async def pool_close(self) -> None:
        """Log off from the server; return when the socket is closed."""

    @abstractmethod
    def abort(self) -> None:
        """Close the socket at once; may be called repeatedly."""


def state(connection: Any) -> ConnectionState:
    """Return the state of a connection from its attributes; sends nothing."""
    try:
        if isinstance(connection, SelfAware):
            return connection.pool_state()
        return _foreign_state(connection)
    except Exception:
        return ConnectionState.CLOSED


def state_after(connection: Any, error: BaseException | None) -> ConnectionState:
    """Return the state of a connection after a block that raised `error` or none."""
    found = state(connection)
    if error is None or isinstance(connection, SelfAware):
        return found
    if isinstance(error, asyncio.CancelledError | TimeoutError | GeneratorExit):
        return ConnectionState.UNREAD  # it may owe an answer
    if found is not ConnectionState.CLOSED and session.shows_read_only(error):
        return ConnectionState.READ_ONLY
    return found


def adopt(connection: Any) -> object:
    """Remember the session of a connection, to notice later that its driver connected again.

    Returns the argument `known` of `is_reconnected`.
    """
    if isinstance(connection, SelfAware):
        connection.pool_accept()
        return None
    stream = _stream(connection)
    return session.number_of(connection) if stream is None else stream


def is_reconnected(connection: Any, known: object) -> bool:
    """Whether the driver connected again since the pool adopted the connection as `known`."""
    if isinstance(connection, SelfAware):
        return connection.pool_reconnected()
    if known is None:
        return False
    stream = _stream(connection)
    return bool((session.number_of(connection) if stream is None else stream) != known)


def is_own(connection: Any) -> bool:
    """Whether all settings of a session without `setup` come from the sign-in."""
    return isinstance(connection, SelfAware)


def alive(connection: Any) -> bool:
    """Return, without a round trip, whether an idle connection can still be alive.

    A server sends unasked only when it closes a connection, so an idle socket with data to read is
    dead. A connection without a descriptor counts as alive unless it reports that it is closed.
    """
    if state(connection) is ConnectionState.CLOSED:
        return False
    try:
        if isinstance(connection, SelfAware):
            return connection.pool_alive()
        source = _source(connection)
        return not hasattr(source, "fileno") or is_silent(source.fileno())
    except Exception:
        return False


def _source(connection: Any) -> Any:
    """Return the object with the descriptor: the connection, or aiomysql's or asyncmy's socket."""
    ask = getattr(_stream(connection), "get_extra_info", None)
    return connection if ask is None else ask("socket")


def _stream(connection: Any) -> Any:
    """Return the writer of aiomysql, or the writer or transport of asyncmy; None of others."""
    return getattr(connection, "_writer", None) or getattr(connection, "_transport", None)


def is_silent(descriptor: int) -> bool:
    """Whether the socket has nothing to read, neither data nor end of file."""
    if descriptor < 0:
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return not poll.poll(0)


async def ping(connection: Any) -> None:
    """Make a round trip; raises if it fails. The caller limits its time."""
    if isinstance(connection, SelfAware):
        await connection.pool_ping()
    else:  # a driver's own ping might reconnect
        await _call(connection.rollback)


def answer_of(connection: Any, error: BaseException | None, waited: float) -> Answer:
    """Return what a round trip shows that took `waited` seconds, and failed with `error` or not."""
    if error is None:
        return Answer.DEAD if state(connection) in UNUSABLE else Answer.ALIVE
    silent = timed_out(error)
    if not isinstance(connection, SelfAware):  # its driver may not say why it failed
        silent = silent or waited >= SHORTEST_SILENCE
    return Answer.SILENT if silent else Answer.DEAD


def check_limit(connection: Any, limit: float | None) -> float:
    """Return the seconds that a round trip may take, by the connection and by its caller."""
    return shortest(getattr(connection, "read_timeout", None), limit)


def loss(connection: Any, failed: bool = False) -> Loss | None:
    """Return how a connection was lost; None if it was not.

    It was lost too if it fell silent and the driver has connected again. `failed`: a round trip of
    the pool failed, which a foreign connection may not report.
    """
    is_own = isinstance(connection, SignsOfLife)
    if is_own and connection.silent_since is not None:
        return Loss.SILENT
    if not (failed or state(connection) is ConnectionState.CLOSED):
        return None
    if not is_own:
        return Loss.UNKNOWN
    gave_up = getattr(connection, "_close_reason", None)  # of aiomysql: a cancelled statement
    return Loss.KNOWN if gave_up is None else Loss.UNKNOWN


async def restore(connection: Any, found: ConnectionState, reset: Reset) -> bool:
    """Reset a connection for the next borrower; False: the pool must drop it.

    steadypool's own connections have their configured timeout, others RESET_LIMIT.
    """
    if found in UNUSABLE:
        return False
    work = connection.rollback
    if reset is Reset.SESSION:
        work = getattr(connection, "reset_session", work)
    try:
        async with asyncio.timeout(None if isinstance(connection, SelfAware) else RESET_LIMIT):
            await _call(work)
    except Exception:
        return False
    if reset is Reset.SESSION and isinstance(connection, SelfAware):
        connection.pool_accept(was_reset=True)
    return state(connection) not in UNUSABLE


async def settle(connection: Any) -> bool:
    """End a transaction that a hook left open; False: the connection is unusable."""
    found = state(connection)
    return found is ConnectionState.CLEAN or await restore(connection, found, Reset.ROLLBACK)


async def commit(connection: Any) -> None:
    """Commit; raises the connection's errors."""
    await _call(connection.commit)


async def begin(connection: Any) -> None:
    """Begin a transaction on a connection in autocommit mode.

    A driver without `get_autocommit` is assumed to begin transactions implicitly, as DB-API says.
    """
    asks = getattr(connection, "get_autocommit", None)
    if asks is not None and asks():
        await _call(connection.begin)


async def close(connection: Any, *, silent: bool = False) -> None:
    """Close within CLOSE_LIMIT, ignoring the connection's errors.

    `silent`: without a goodbye, which a silent line may delay, as far as the driver supports it.
    """
    if silent and isinstance(connection, SelfAware):
        connection.abort()
        await asyncio.sleep(0)  # a transport closes its socket in the loop's next turn
        return
    try:
        async with asyncio.timeout(CLOSE_LIMIT):
            if isinstance(connection, SelfAware):
                await connection.pool_close()
            else:
                await _call(connection.close)
                await asyncio.sleep(0)  # a transport closes its socket in the loop's next turn
    except Exception:  # already closed, broken, or out of time
        abort(connection)
    except BaseException:
        abort(connection)
        raise


def abort(connection: Any) -> None:
    """Close at once without waiting, as far as the driver supports it."""
    try:
        answer = getattr(connection, "abort", connection.close)()
        if inspect.iscoroutine(answer):
            answer.close()
    except Exception:  # nothing more can be done
        return


async def _call(method: Any) -> None:
    answer = method()
    if inspect.isawaitable(answer):
        await answer


def _foreign_state(connection: Any) -> ConnectionState:
    if getattr(connection, "closed", False) or not getattr(connection, "connected", True):
        return ConnectionState.CLOSED
    result = getattr(connection, "_result", None)  # of aiomysql and asyncmy
    if result is not None and (result.unbuffered_active or result.has_next):
        return ConnectionState.UNREAD
    # A few drivers report this; a connection that does not is rolled back.
    if getattr(connection, "in_transaction", True) is False:
        return ConnectionState.CLEAN
    return ConnectionState.IN_TRANSACTION
