"""Log records that keep no frames alive.

pytest keeps the records of a test. A record of an exception refers to the frames in which it was
raised, and so to the connections there, which a pool may have left to the garbage collector.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_FORMATTER = logging.Formatter()


@contextmanager
def without_frames() -> Iterator[None]:
    """Let the log records made within the block have the text of an exception instead of it."""
    make_real = logging.getLogRecordFactory()

    def make(*arguments: Any, **named: Any) -> logging.LogRecord:
        record = make_real(*arguments, **named)
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = _FORMATTER.formatException(record.exc_info)
            record.exc_info = None
        return record

    logging.setLogRecordFactory(make)
    try:
        yield
    finally:
        logging.setLogRecordFactory(make_real)
