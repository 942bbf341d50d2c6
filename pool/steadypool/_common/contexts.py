"""The open contexts of a pool: which connection each `with pool` or `async with pool` borrowed.

A pool is one object for all of its contexts, and `__exit__` does not say which context ends. A
context is identified by the frame that runs it. Within a frame contexts end in the reverse order of
their beginning. Generators may end in any order, and in another thread or task than the one they
began in.

A context that is entered by hand or by an `ExitStack` ends in another frame. Then it is the last
context that this thread or task entered in a frame that has ended.
"""

from collections.abc import Callable
from types import FrameType
from typing import Any

from steadypool.errors import NotBorrowedError


class OpenContexts:
    """The open contexts of one pool. Thread-safe: one thread at a time runs a frame.

    `runner` returns the identity of the running thread or task.
    """

    def __init__(self, runner: Callable[[], int]) -> None:
        self._runner = runner
        self._open: dict[FrameType, list[tuple[int, Any]]] = {}

    def enter(self, frame: FrameType, connection: Any) -> None:
        """Begin a context."""
        self._open.setdefault(frame, []).append((self._runner(), connection))

    def forget(self, frame: FrameType, connection: Any) -> None:
        """Undo an `enter` that was interrupted."""
        others = [context for context in self._open.pop(frame, []) if context[1] is not connection]
        if others:
            self._open[frame] = others

    def leave(self, frame: FrameType) -> Any:
        """End a context and return its connection. Raises NotBorrowedError."""
        contexts = self._open.get(frame)
        if contexts is None:
            frame = self._entered_elsewhere(frame)
            contexts = self._open[frame]
        _, connection = contexts[-1]  # no call from here on, so no interrupt can come in between
        del contexts[-1]
        if not contexts:
            del self._open[frame]
        return connection

    def _entered_elsewhere(self, frame: FrameType | None) -> FrameType:
        runner = self._runner()
        own = [entry for entry, contexts in list(self._open.items()) if contexts[-1][0] == runner]
        running = set()
        while frame is not None:
            running.add(frame)
            frame = frame.f_back
        ended = [entry for entry in own if entry not in running]
        if not own:
            raise NotBorrowedError(
                "this thread or task has no open context of the pool; to end a context elsewhere, "
                "borrow with the pool's connection()"
            )
        return (ended or own)[-1]
