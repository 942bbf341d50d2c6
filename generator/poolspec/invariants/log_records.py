"""Structured log records of the pool, by their `event` attribute, as a test may count them."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LogNames:
    """Where a pool logs, and what it calls the events that specs know by other words."""

    logger: str
    events: Mapping[str, str]
    """From the words of specs (failure, retry, recovery, leak) to the pool's."""


NO_LOG = LogNames("poolspec.no-such-log", {})
"""For a pool that writes no structured log."""


class Journal(logging.Handler):
    """Counts the records of one pool's logger by event. Safe to use from any thread."""

    def __init__(self, names: LogNames, look: Callable[[str, str], None]) -> None:
        super().__init__(logging.DEBUG)
        self._look = look
        self._names = names.events
        self._logger = logging.getLogger(names.logger)
        self._level = self._logger.level
        self._events: Counter[str] = Counter()
        self._logger.addHandler(self)
        self._logger.setLevel(logging.DEBUG)

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record, and have it looked into. The handler's own lock is held."""
        self._look("a log record", f"{record.getMessage()} {vars(record)}")
        self._events[getattr(record, "event", "")] += 1

    def count(self, event: str) -> int:
        """Return how many records told of an event."""
        return self._events[self._names[event]]

    def stop(self) -> None:
        """Listen no more."""
        self._logger.removeHandler(self)
        self._logger.setLevel(self._level)
