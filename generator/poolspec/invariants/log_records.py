"""The pool's structured log records, counted by their `event` attribute."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LogNames:
    """The logger of a pool, and its names for the events of the spec language."""

    logger: str
    events: Mapping[str, str]
    """From the words of specs (failure, retry, recovery, leak) to the pool's."""


NO_LOG = LogNames("poolspec.no-such-log", {})
"""For a pool that writes no structured log."""


class LogRecords(logging.Handler):
    """Counts the records of one pool's logger by event. Safe to use from any thread."""

    def __init__(
        self, names: LogNames, look: Callable[[str, str], None], pause: Callable[[], None]
    ) -> None:
        super().__init__(logging.DEBUG)
        self._pause = pause
        self._look = look
        self._names = names.events
        self.logger = logging.getLogger(names.logger)
        self._level = self.logger.level
        self._events: Counter[str] = Counter()
        self.logger.addHandler(self)
        self.logger.setLevel(logging.DEBUG)

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record and search it for passwords. The handler's own lock is held."""
        self._look("a log record", f"{record.getMessage()} {vars(record)}")
        self._events[getattr(record, "event", "")] += 1
        self._pause()

    def count(self, event: str) -> int:
        """Return the number of records about an event."""
        return self._events[self._names[event]]

    def stop(self) -> None:
        """Stop counting and restore the logger."""
        self.logger.removeHandler(self)
        self.logger.setLevel(self._level)
