"""Structured log records of the pool, by their `event` attribute, as a test may count them."""

import logging
from collections import Counter

LOGGER = "steadypool"
"""The logger whose records are counted."""


class Journal(logging.Handler):
    """Counts the records of one logger by event. Safe to use from any thread."""

    def __init__(self, logger: str) -> None:
        super().__init__(logging.DEBUG)
        self._logger = logging.getLogger(logger)
        self._level = self._logger.level
        self._events: Counter[str] = Counter()
        self._logger.addHandler(self)
        self._logger.setLevel(logging.DEBUG)

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record. The handler's own lock is held."""
        self._events[getattr(record, "event", "")] += 1

    def count(self, event: str) -> int:
        """Return how many records told of an event."""
        return self._events[event]

    def stop(self) -> None:
        """Listen no more."""
        self._logger.removeHandler(self)
        self._logger.setLevel(self._level)
