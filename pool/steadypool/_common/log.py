"""The structured log of a pool.

Every record of the logger `steadypool` has a message for people and attributes (`extra`) for
programs: `event` (one of `LogEvent`), `pool`, `address`, and the figures of the event. No record
contains a password. The pool writes all records without holding its lock.
"""

import logging
from enum import StrEnum

from steadypool.loans import Loan

_LOG = logging.getLogger("steadypool")


class LogEvent(StrEnum):
    """The events of the log, each with its further attributes."""

    CONNECT_FAILED = "connect_failed"
    """`attempt` (1 for the first of an acquire), `error` (the driver's exception by name)."""
    CONNECT_RETRY = "connect_retry"
    """`attempt` (the number of the next one), `delay` (seconds until then)."""
    SERVER_UNAVAILABLE = "server_unavailable"
    """`failures` (in a row); from now on acquires that need a connect fail at once."""
    SERVER_RECOVERED = "server_recovered"
    """`outage` (seconds since the first failed connect)."""
    CONNECTION_INVALID = "connection_invalid"
    """An idle connection was found dead."""
    LINE_SILENT = "line_silent"
    """`closed` (the number of idle connections closed); a connection gave no answer in time."""
    SERVER_READ_ONLY = "server_read_only"
    """A statement failed because the server is read-only; the pool was emptied."""
    RELEASE_FAILED = "release_failed"
    """`error` (name of the exception that a hook raised at a release; its connection is closed)."""
    LEAK_SUSPECTED = "leak_suspected"
    """`connection`, `holder`, `seconds`, `where`."""
    MAINTENANCE_FAILED = "maintenance_failed"
    """`error` (name of the exception that a hook raised, or that cancelled it, in maintenance)."""
    LISTENER_FAILED = "listener_failed"
    """`error` (name of the exception that a listener raised); logged once."""
    DEFERRED_CALL_FAILED = "deferred_call_failed"
    """`error` (name of the exception raised by a call from a signal handler or finalizer, which was
    deferred until the pool's own work was done)."""


class PoolLog:
    """Writes the log of one pool. Thread-safe."""

    def __init__(self, pool: str, address: str | None) -> None:
        self._fields = {"pool": pool, "address": address}
        self._where = repr(pool) if address is None else f"{pool!r} ({address})"
        self._listener_reported = False

    def connect_failed(self, error: Exception, attempt: int) -> None:
        """Log a failed connect."""
        name = type(error).__name__
        text = f"pool {self._where}: connect {attempt} failed: {name}: {error}"
        self._write(logging.WARNING, LogEvent.CONNECT_FAILED, text, attempt=attempt, error=name)

    def connect_retry(self, attempt: int, delay: float) -> None:
        """Log that the connect will be retried."""
        text = f"pool {self._where}: retrying in {delay:.3f} s"
        self._write(logging.INFO, LogEvent.CONNECT_RETRY, text, attempt=attempt, delay=delay)

    def server_unavailable(self, failures: int) -> None:
        """Log that the breaker opened."""
        failed = "1 connect" if failures == 1 else f"{failures} connects in a row"
        text = f"pool {self._where}: {failed} failed; refusing to connect until a probe succeeds"
        self._write(logging.ERROR, LogEvent.SERVER_UNAVAILABLE, text, failures=failures)

    def server_recovered(self, outage: float) -> None:
        """Log the first success after failed connects."""
        text = f"pool {self._where}: connected again after {outage:.3f} s"
        self._write(logging.INFO, LogEvent.SERVER_RECOVERED, text, outage=outage)

    def connection_invalid(self) -> None:
        """Log that an idle connection was dead."""
        text = f"pool {self._where}: an idle connection was dead; replacing it"
        self._write(logging.INFO, LogEvent.CONNECTION_INVALID, text)

    def line_silent(self, closed: int) -> None:
        """Log that idle connections were closed because another one gave no answer in time."""
        others = "1 idle connection that has" if closed == 1 else f"{closed} idle ones that have"
        text = f"pool {self._where}: a connection is silent; closing {others} not answered since"
        self._write(logging.WARNING, LogEvent.LINE_SILENT, text, closed=closed)

    def server_read_only(self) -> None:
        """Log that the pool was emptied to find a server that is not read-only."""
        text = f"pool {self._where}: the server is read-only; closing all connections to it"
        self._write(logging.WARNING, LogEvent.SERVER_READ_ONLY, text)

    def release_failed(self, error: Exception) -> None:
        """Log the error of a hook that ran on a returned connection."""
        text = f"pool {self._where}: a hook failed on a returned connection, which is closed"
        name = type(error).__name__
        self._write(logging.WARNING, LogEvent.RELEASE_FAILED, text, error, error=name)

    def leaks_suspected(self, loans: list[Loan]) -> None:
        """Log loans that are longer than `leak_after`."""
        for loan in loans:
            text = f"pool {self._where}: {loan}: is it never released?"
            self._write(
                logging.WARNING,
                LogEvent.LEAK_SUSPECTED,
                text,
                connection=loan.connection,
                holder=loan.holder,
                seconds=loan.seconds,
                where=loan.where,
            )

    def maintenance_failed(self, error: BaseException) -> None:
        """Log an exception in maintenance that did not come from a connect."""
        text = f"pool {self._where}: maintenance failed"
        name = type(error).__name__
        self._write(logging.WARNING, LogEvent.MAINTENANCE_FAILED, text, error, error=name)

    def listener_failed(self, error: Exception) -> None:
        """Log the first error of a listener."""
        if not self._listener_reported:
            self._listener_reported = True
            text = f"a listener of the pool {self._where} failed"
            name = type(error).__name__
            self._write(logging.WARNING, LogEvent.LISTENER_FAILED, text, error, error=name)

    def deferred_call_failed(self, error: Exception) -> None:
        """Log the error of a deferred call, whose caller has left."""
        text = f"pool {self._where}: a call made during the pool's own work failed later"
        name = type(error).__name__
        self._write(logging.WARNING, LogEvent.DEFERRED_CALL_FAILED, text, error, error=name)

    def _write(
        self,
        level: int,
        event: LogEvent,
        text: str,
        cause: BaseException | None = None,
        **figures: object,
    ) -> None:
        extra = {"event": event.value, **self._fields, **figures}
        _LOG.log(level, "%s", text, exc_info=cause, extra=extra)
