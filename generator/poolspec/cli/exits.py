"""The exit codes of the commands."""

import signal
from typing import Final

OK: Final = 0
OUT_OF_DATE: Final = 1
BAD_INPUT: Final = 2
REFUSED: Final = 3
DEFECT: Final = 4
ENVIRONMENT: Final = 5
"""No server, no room or no rights: the environment cannot run the tests."""
INTERRUPTED: Final = 130
"""By Ctrl-C or SIGINT; by another signal, 128 and its number: 143 by SIGTERM."""
BROKEN_PIPE: Final = 141


class Stop(Exception):  # noqa: N818 - not always an error
    """A command cannot continue. The text states the problem, the place and the remedy."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class Signalled(BaseException):
    """A signal asks the command to end. Like KeyboardInterrupt, it is no Exception."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.signal = number

    @property
    def code(self) -> int:
        """The exit code, as a shell reports the end by this signal."""
        return 128 + self.signal


def in_the_way(error: OSError) -> str:
    """Return which file cannot be used, and why, as far as the system reports it."""
    why = error.strerror or str(error)
    return f"{f'{error.filename}: ' if error.filename else ''}{why}; fix this and run again"
