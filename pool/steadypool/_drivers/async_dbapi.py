"""How to judge, reset and close a connection for asyncio, whoever made it.

A connection that knows how says it itself (`SelfAware`, as steadypool's own driver does). Any
other one may come from a `connect` callable: its methods may be plain or to be awaited, and what
it cannot say is taken for the worse. Nothing here raises, save a cancellation, which always goes
on; whoever is cancelled while he closes a connection has cut it off.
"""

import asyncio
import inspect
import select
from abc import ABC, abstractmethod
from typing import Any

from steadypool._core.entries import ConnectionState
from steadypool._core.settings import Reset

CLOSE_LIMIT = 2.0
"""Seconds for a polite good-bye; then the connection is cut off."""
RESET_LIMIT = 5.0
"""Seconds for the reset of a connection that has no limit of its own; then it is dropped."""


class SelfAware(ABC):
    """A connection that tells the pool what it is like."""

    @abstractmethod
    def pool_state(self) -> ConnectionState:
        """Tell what it is like from what is known here; sends nothing."""

    @abstractmethod
    def pool_alive(self) -> bool:
        """Tell without a round trip whether it can still be good."""

    @abstractmethod
    async def pool_ping(self) -> None:
        """Make a round trip; raises if that fails."""

    @abstractmethod
    async def pool_close(self) -> None:
        """Take leave of the server; return when the socket is closed."""

    @abstractmethod
    def abort(self) -> None:
        """Close the socket at once; as often as one likes."""


def state(connection: Any) -> ConnectionState:
    """Tell what a connection is like from its attributes alone; sends nothing."""
    try:
        if isinstance(connection, SelfAware):
            return connection.pool_state()
        return _foreign_state(connection)
    except Exception:
        return ConnectionState.CLOSED


def state_after(connection: Any, error: BaseException | None) -> ConnectionState:
    """Tell what a connection is like after a block that may have been broken off."""
    found = state(connection)
    broken_off = isinstance(error, asyncio.CancelledError | TimeoutError | GeneratorExit)
    if broken_off and not isinstance(connection, SelfAware):  # which can tell
        return ConnectionState.UNREAD
    return found


def alive(connection: Any) -> bool:
    """Tell, without a round trip, whether an idle connection can still be good.

    A server speaks first only to say good-bye: an idle socket that can be read is dead. A
    connection without a descriptor is taken for good unless it says that it is closed.
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
    """What has the descriptor: the connection itself, or the stream of aiomysql's and asyncmy's."""
    writer = getattr(connection, "_writer", None)
    return connection if writer is None else writer.get_extra_info("socket")


def is_silent(descriptor: int) -> bool:
    """Whether nothing can be read: neither an answer nor the end."""
    if descriptor < 0:
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return not poll.poll(0)


async def answers(connection: Any) -> bool:
    """Tell, by a round trip, whether a connection is good."""
    if not alive(connection):
        return False
    try:
        if isinstance(connection, SelfAware):
            await connection.pool_ping()
        else:  # a driver's own ping might connect anew
            await _called(connection.rollback)
    except Exception:
        return False
    return state(connection) is not ConnectionState.CLOSED


async def restore(connection: Any, found: ConnectionState, reset: Reset) -> bool:
    """Make a connection fit for the next borrower; False: it must be dropped.

    Steadypool's own knows how long an answer may take; others have RESET_LIMIT.
    """
    if found is ConnectionState.UNREAD or found is ConnectionState.CLOSED:
        return False
    work = connection.rollback
    if reset is Reset.SESSION:
        work = getattr(connection, "reset_session", work)
    try:
        async with asyncio.timeout(None if isinstance(connection, SelfAware) else RESET_LIMIT):
            await _called(work)
    except Exception:
        return False
    return state(connection) is not ConnectionState.CLOSED


async def settle(connection: Any) -> bool:
    """End the transaction that a hook has left open; False: nobody can use the connection."""
    found = state(connection)
    return found is ConnectionState.CLEAN or await restore(connection, found, Reset.ROLLBACK)


async def commit(connection: Any) -> None:
    """Commit; raises what the connection raises."""
    await _called(connection.commit)


async def begin(connection: Any) -> None:
    """Begin a transaction on a connection that would commit each statement by itself.

    Where the driver cannot be asked, one is taken to begin by itself, as DB-API says.
    """
    asks = getattr(connection, "get_autocommit", None)
    if asks is not None and asks():
        await _called(connection.begin)


async def close(connection: Any) -> None:
    """Close, whatever the connection says to it, within CLOSE_LIMIT."""
    try:
        async with asyncio.timeout(CLOSE_LIMIT):
            if isinstance(connection, SelfAware):
                await connection.pool_close()
            else:
                await _called(connection.close)
                await asyncio.sleep(0)  # a transport closes its socket in the loop's next turn
    except Exception:  # it is closed already, past closing, or out of time
        abort(connection)
    except BaseException:
        abort(connection)
        raise


def abort(connection: Any) -> None:
    """Close now, without waiting, as far as the connection can."""
    try:
        answer = getattr(connection, "abort", connection.close)()
        if inspect.iscoroutine(answer):
            answer.close()
    except Exception:  # there is nothing more to be done about it
        return


async def _called(method: Any) -> None:
    answer = method()
    if inspect.isawaitable(answer):
        await answer


def _foreign_state(connection: Any) -> ConnectionState:
    if getattr(connection, "closed", False) or not getattr(connection, "connected", True):
        return ConnectionState.CLOSED
    result = getattr(connection, "_result", None)  # aiomysql's and asyncmy's
    if result is not None and (result.unbuffered_active or result.has_next):
        return ConnectionState.UNREAD
    # A few drivers say so; whoever does not is rolled back.
    if getattr(connection, "in_transaction", True) is False:
        return ConnectionState.CLEAN
    return ConnectionState.IN_TRANSACTION
