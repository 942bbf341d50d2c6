"""The invariant that no error, log record or representation shows a password.

The lab searches every text of the pool that it sees, and reports the findings at the test's end.
"""

from collections.abc import Callable, Iterable
from urllib.parse import quote

from poolspec.invariants.causes import causes
from poolspec.invariants.defects import Defect, Finding

Passwords = Callable[[], Iterable[str]]


class PasswordSearch:
    """Searches texts for the passwords of one test. Safe to use from any thread."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords
        self._found: dict[Finding, None] = {}

    def look(self, source: str, text: str) -> None:
        """Search a text for passwords; `source` names it in the finding."""
        if any(form in text for word in self._passwords() for form in _forms(word)):
            found = Finding(Defect.EXPOSED_PASSWORD, f"{source} shows a password")
            self._found[found] = None

    def look_into(self, error: BaseException) -> None:
        """Search an error, and all errors that led to it."""
        for found in causes(error):
            self.look(f"the error {type(found).__name__}", f"{found} {found!r}")

    def found(self) -> list[Finding]:
        """Return which sources showed a password. The text itself is not repeated."""
        return list(self._found)


def _forms(password: str) -> tuple[str, ...]:
    """Return a password as it appears in plain text and in a URL."""
    return (password, quote(password, safe="")) if password else ()
