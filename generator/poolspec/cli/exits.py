"""How a command ends, for the shell that called it."""

from typing import Final

OK: Final = 0
OUT_OF_DATE: Final = 1
BAD_INPUT: Final = 2
REFUSED: Final = 3
DEFECT: Final = 4
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141


class Stop(Exception):  # noqa: N818 - an ending that the user is told of, not always an error
    """A command cannot go on. The text says what is wrong, where, and what to do."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


def in_the_way(error: OSError) -> str:
    """Say which file cannot be used, and why, as far as the system told."""
    why = error.strerror or str(error)
    return f"{f'{error.filename}: ' if error.filename else ''}{why}; put that right and run again"
