"""The pool under test as a generated test sees it, and the connections it lends.

Every call is passed to the adapter, and logged around: "got" after a connection was handed out,
"gave" before it is handed back. So the time an actor holds a connection by the log lies within the
time it holds it in truth, and two holders that overlap in the log are two holders indeed.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol

from poolspec.invariants.checks import RESUMED, SUSPENDED
from poolspec.invariants.connection import Connector, number_of
from poolspec.invariants.log import Log, current_actor
from poolspec.lab.contract import Controls, HealthSeen, LoanSeen, PoolAdapter
from poolspec.lifecycle.locks import FreshLock
from poolspec.vocabulary import Capability, EventKind, StatName

__tracebackhide__ = True  # a failure is shown where the test failed

Row = tuple[Any, ...]


class Held:
    """A connection that somebody holds, or held."""

    def __init__(self, raw: Any, pool: "Pool | None") -> None:
        self.raw = raw
        self.pool = pool
        self.number = _number_of_lent(raw)
        """The connection's number at the server."""
        self.holder = current_actor()
        """The actor that borrowed it."""

    def __repr__(self) -> str:
        """Name it by its number at the server."""
        return f"<connection {self.number}>"

    def query(
        self,
        sql: str,
        params: tuple[Any, ...] = (),
        *,
        returns: Any = ...,
        rows: list[Row] | None = None,
        unread: bool = False,
        changes_one: bool = False,
    ) -> None:
        """Run a statement; check the single value, or the rows, that come back.

        Raises AssertionError when something else came back, and the driver's error when the
        statement fails. `unread` leaves the rows for the server to send; `changes_one` has the
        pool look whether the statement changed exactly one row.
        """
        with self.raw.cursor() as cursor:
            if unread:
                self.raw.query(cursor.mogrify(sql, params or None), unbuffered=True)
                return
            cursor.execute(sql, params or None)
            if changes_one:
                assert self.pool is not None, "only what a pool has lent"
                self.pool.expect_one(cursor)
            seen = [tuple(row) for row in cursor.fetchall()]
        check_rows(sql, seen, returns, rows)


def _number_of_lent(raw: Any) -> int:
    """Return the number at the server of what an adapter has lent."""
    if not hasattr(raw, "thread_id"):
        raise AssertionError(
            "acquire() of the adapter must return a PyMySQL connection, or what passes on its "
            f"methods as one does: {type(raw).__name__} has no thread_id()"
        )
    return number_of(raw)


def check_rows(sql: str, seen: list[Row], returns: Any, rows: list[Row] | None) -> None:
    """Raise AssertionError unless a statement gave what was expected of it."""
    if rows is not None and seen != rows:
        raise AssertionError(f"{sql}: expected rows {rows}, got {seen}")
    if returns is not ... and seen != [(returns,)]:
        raise AssertionError(f"{sql}: expected the single value {returns!r}, got {seen}")


class Counting(Protocol):
    """An adapter, whichever its concurrency."""

    name: str
    capabilities: frozenset[Capability]


def all_figures(adapter: Counting, stats: Mapping[str, int]) -> dict[str, int]:
    """Return a pool's figures; raises AssertionError if it claims to have all, and has not."""
    missing = [name for name in StatName if name not in stats]
    if missing and Capability.STATISTICS in adapter.capabilities:
        lacking = ", ".join(missing)
        raise AssertionError(f"stats() of the adapter {adapter.name!r} lack {lacking}")
    return dict(stats)


class Pool:
    """The pool under test. Safe to use from any actor."""

    most_ever = 0
    """The largest limit that the pool had before it was resized."""
    is_over = False
    """Whether the test has closed it, or tried to."""
    _keeper: AbstractContextManager[None] | None = None

    def __init__(
        self,
        raw: Any,
        adapter: PoolAdapter,
        log: Log,
        connector: Connector,
        look_into: Callable[[BaseException], None],
    ) -> None:
        self.raw = raw
        self.connector = connector
        self.sockets = connector.sockets
        self._adapter = adapter
        self._log = log
        self._look_into = look_into
        self._blocks = threading.local()
        self._lock = FreshLock()
        self._held: dict[int, Held] = {}

    def renew(self, raw: Any, connector: Connector) -> None:
        """Stand for another pool from now on; the one before was closed."""
        self.raw, self.connector, self.sockets = raw, connector, connector.sockets
        self.most_ever, self.is_over = 0, False

    def acquire(self, timeout: float | None = None) -> Held:
        """Borrow a connection, waiting at most `timeout` seconds (None: the pool's own timeout)."""
        self._log.add(EventKind.CHECKOUT_STARTED)
        try:
            raw = self._adapter.acquire(self.raw, timeout)
        except BaseException as error:
            self._look_into(error)
            self._log.add(EventKind.CHECKOUT_FAILED, detail=type(error).__name__)
            raise
        return self._got(raw)

    def release(self, held: Held | None) -> None:
        """Give a connection back; None stands for a caller that never got one."""
        if held is None:
            self._adapter.release(self.raw, None)
            return
        self._gave(held)
        self._adapter.release(self.raw, held.raw)

    def __enter__(self) -> Held:
        """Borrow through the pool's own context manager, in a `with` statement."""
        block = self._block()
        held = block.__enter__()
        self._stack().append(block)
        return held

    def __exit__(self, *exc: Any) -> bool | None:
        """Give back at the end of that statement."""
        return self._stack().pop().__exit__(*exc)

    @contextmanager
    def entered(self) -> Iterator[Held]:
        """Borrow through the pool's own context manager, which an `ExitStack` enters and leaves."""
        self._log.add(EventKind.CHECKOUT_STARTED)
        with ExitStack() as stack:
            held = self._got(stack.enter_context(self._adapter.block(self.raw)))
            stack.callback(self._gave, held)
            yield held

    def close_all(self) -> None:
        """Empty the pool."""
        self._adapter.close_all(self.raw)

    def close(self, *, drain: float | None = None) -> None:
        """Close the pool for good; wait up to `drain` seconds for what is on loan."""
        self.is_over = True
        if drain is None:
            self._adapter.close(self.raw)
        else:
            self._controls().drain(self.raw, drain)

    @contextmanager
    def transaction(self) -> Iterator[Held]:
        """Borrow for a unit of work: committed at the end of the block, or rolled back."""
        self._log.add(EventKind.CHECKOUT_STARTED)
        with self._controls().transaction(self.raw) as raw:
            held = self._got(raw, begun=True)
            try:
                yield held
            finally:
                self._gave(held)

    def resize(self, *, size: int | None = None, max_overflow: int | None = None) -> None:
        """Change the pool's limits."""
        self.most_ever = max(self.most_ever, self.stats().get(StatName.MAX_SIZE, 0))
        self._controls().resize(self.raw, size, max_overflow)

    def suspend(self) -> None:
        """Have the pool hand out nothing."""
        self._log.add(SUSPENDED)
        self._controls().suspend(self.raw)

    def resume(self) -> None:
        """Have the pool hand out again."""
        self._controls().resume(self.raw)
        self._log.add(RESUMED)

    def maintain(self) -> None:
        """Have the pool do its housekeeping."""
        self._controls().maintain(self.raw)

    def expect_one(self, cursor: Any) -> None:
        """Raise the pool's conflict unless the statement just run changed exactly one row."""
        self._controls().expect_one(cursor)

    def loans(self) -> list[LoanSeen]:
        """Return what is on loan, by the pool's own account, the longest loan first."""
        return self._controls().loans(self.raw)

    def keep(self, interval: float) -> None:
        """Have the pool looked after every so many seconds of real time."""
        self._keeper = self._controls().keep(self.raw, interval)
        self._keeper.__enter__()

    def dismiss(self) -> None:
        """Have nobody look after the pool any more."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.__exit__(None, None, None)

    def health(self) -> HealthSeen:
        """Return the pool's own verdict on itself."""
        return self._controls().health(self.raw)

    def stats(self) -> dict[str, int]:
        """Return the pool's own figures."""
        return all_figures(self._adapter, self._adapter.stats(self.raw))

    def holders(self) -> list[str]:
        """Return the actors that hold a connection of this pool, once for each connection."""
        with self._lock:
            return [held.holder for held in self._held.values()]

    def numbers(self) -> list[int]:
        """Return the server's numbers of the connections that are held."""
        with self._lock:
            return [held.number for held in self._held.values()]

    def release_all(self) -> None:
        """Give back whatever the test still holds."""
        with self._lock:
            left = list(self._held.values())
        for held in left:
            self.release(held)

    def _got(self, raw: Any, begun: bool = False) -> Held:
        """Note a loan. What was `begun` may be in a transaction, which is its borrower's own."""
        held = Held(raw, self)
        with self._lock:
            self._held[id(held)] = held
        dirt = "" if begun else self._adapter.dirt(raw)
        self._log.add(EventKind.CHECKED_OUT, connection=held.number, detail=dirt)
        return held

    def _gave(self, held: Held) -> None:
        with self._lock:
            known = self._held.pop(id(held), None)
        if known is not None:
            self._log.add(EventKind.CHECKED_IN, connection=held.number)

    def _controls(self) -> Controls:
        controls: Controls = self._adapter.controls  # type: ignore[attr-defined]  # see `needs`
        return controls

    @contextmanager
    def _block(self) -> Iterator[Held]:
        self._log.add(EventKind.CHECKOUT_STARTED)
        with self._adapter.block(self.raw) as raw:
            held = self._got(raw)
            try:
                yield held
            finally:
                self._gave(held)

    def _stack(self) -> list[AbstractContextManager[Held]]:
        stack: list[AbstractContextManager[Held]] | None
        stack = getattr(self._blocks, "stack", None)
        if stack is None:
            stack = self._blocks.stack = []
        return stack
