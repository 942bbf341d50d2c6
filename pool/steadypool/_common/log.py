"""What a pool writes into the log: records that programs can read.

Every record of the logger `steadypool` has a message for people and, as attributes (`extra`),
`event` (one of `LogEvent`), `pool`, `address`, and the figures that belong to the event. A password
is never part of either. Records are written outside the pool's lock.
"""

import logging
from enum import StrEnum

from steadypool.loans import Loan

_LOG = logging.getLogger("steadypool")


class LogEvent(StrEnum):
    """What a log record is about, with the attributes that it has in addition."""

    CONNECT_FAILED = "connect_failed"
    """`attempt` (1 for the first of an acquire), `error` (name of the driver's exception)."""
    CONNECT_RETRY = "connect_retry"
    """`attempt`, the next one's number; `delay` until then in seconds."""
    SERVER_UNAVAILABLE = "server_unavailable"
    """`failures` in a row; from now on acquires that need a connect fail at once."""
    SERVER_RECOVERED = "server_recovered"
    """`outage`: for how many seconds connects had been failing."""
    CONNECTION_INVALID = "connection_invalid"
    """An idle connection was found dead."""
    LEAK_SUSPECTED = "leak_suspected"
    """`connection`, `holder`, `seconds`, `where`."""
    MAINTENANCE_FAILED = "maintenance_failed"
    """`error`: name of what was raised by a hook, or cancelled it, during housekeeping."""
    LISTENER_FAILED = "listener_failed"
    """`error`: name of what a listener raised; logged once."""


class PoolLog:
    """Writes for one pool. Thread-safe."""

    def __init__(self, pool: str, address: str | None) -> None:
        self._fields = {"pool": pool, "address": address}
        self._where = repr(pool) if address is None else f"{pool!r} ({address})"
        self._listener_complained = False

    def connect_failed(self, error: Exception, attempt: int) -> None:
        """A connect failed."""
        name = type(error).__name__
        text = f"pool {self._where}: connect {attempt} failed: {name}: {error}"
        self._write(logging.WARNING, LogEvent.CONNECT_FAILED, text, attempt=attempt, error=name)

    def connect_retry(self, attempt: int, delay: float) -> None:
        """It is going to be tried again."""
        text = f"pool {self._where}: trying again in {delay:.3f} s"
        self._write(logging.INFO, LogEvent.CONNECT_RETRY, text, attempt=attempt, delay=delay)

    def server_unavailable(self, failures: int) -> None:
        """The breaker opened."""
        failed = "1 connect" if failures == 1 else f"{failures} connects in a row"
        text = f"pool {self._where}: {failed} failed; refusing for a while"
        self._write(logging.ERROR, LogEvent.SERVER_UNAVAILABLE, text, failures=failures)

    def server_recovered(self, outage: float) -> None:
        """A connect succeeded after others had failed."""
        text = f"pool {self._where}: connected again after {outage:.3f} s"
        self._write(logging.INFO, LogEvent.SERVER_RECOVERED, text, outage=outage)

    def connection_invalid(self) -> None:
        """An idle connection turned out to be dead."""
        text = f"pool {self._where}: an idle connection was dead; replacing it"
        self._write(logging.INFO, LogEvent.CONNECTION_INVALID, text)

    def leaks_suspected(self, loans: list[Loan]) -> None:
        """Loans last too long."""
        for loan in loans:
            text = f"pool {self._where}: {loan}: is it never given back?"
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
        """Housekeeping met an exception that is not a connect's."""
        text = f"pool {self._where}: housekeeping failed"
        name = type(error).__name__
        self._write(logging.WARNING, LogEvent.MAINTENANCE_FAILED, text, error, error=name)

    def listener_failed(self, error: Exception) -> None:
        """A listener raised; the only record that is written under the pool's lock."""
        if not self._listener_complained:
            self._listener_complained = True
            text = f"a listener of the pool {self._where} failed"
            name = type(error).__name__
            self._write(logging.WARNING, LogEvent.LISTENER_FAILED, text, error, error=name)

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
