"""What happens to a call before it succeeds, as a test has planned it."""

from collections.abc import Callable
from dataclasses import dataclass

from poolspec.lifecycle.locks import FreshLock


class Hang:
    """A call that hangs until its fault is healed. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = FreshLock()
        self._tell: list[Callable[[], object]] = []
        self.over = False

    def when_over(self, tell: Callable[[], object]) -> None:
        """Call `tell` when the hang ends, or now if it has ended."""
        with self._lock:
            if not self.over:
                self._tell.append(tell)
                return
        tell()

    def end(self) -> None:
        """Let the call continue."""
        with self._lock:
            self.over = True
            waiting, self._tell = self._tell, []
        for tell in waiting:
            tell()


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to a call before it succeeds, in this order."""

    delay: float = 0.0
    """Seconds of the test's clock."""
    hang: Hang | None = None
    error: BaseException | None = None
