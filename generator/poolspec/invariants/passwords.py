"""The standing rule that a password is never told: not by an error, a log record or a pool.

Whoever comes by a text of the pool's has it looked into; what was found is told in the end.
"""

from collections.abc import Callable, Iterable
from urllib.parse import quote

from poolspec.invariants.causes import causes

Passwords = Callable[[], Iterable[str]]


class Secrets:
    """What one test must not hear. Safe to use from any thread."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords
        self._told: dict[str, None] = {}

    def look(self, teller: str, text: str) -> None:
        """Look for a password in what somebody says."""
        if any(form in text for word in self._passwords() for form in _forms(word)):
            self._told[f"{teller} tells a password"] = None

    def look_into(self, error: BaseException) -> None:
        """Look for a password in an error, and in all that led to it."""
        for found in causes(error):
            self.look(f"the error {type(found).__name__}", f"{found} {found!r}")

    def told(self) -> list[str]:
        """Return who told a password. The text itself is not repeated."""
        return list(self._told)


def _forms(password: str) -> tuple[str, ...]:
    """Return a password as it stands in a text, and in a URL."""
    return (password, quote(password, safe="")) if password else ()
