"""Which connection a block has borrowed that was begun with `with pool`, or `async with pool`.

A pool is one object for all of its blocks; when one ends, the pool is not told which. A block is
known by the frame that runs it. Within a frame blocks end in the reverse of their order, but
generators may be ended in any order, and in another thread or task than they were begun in.

What is entered by hand or by an `ExitStack` is left in another frame. Then it is the latest that
this thread or task has entered, and the one who entered it has ended.
"""

from collections.abc import Callable
from types import FrameType
from typing import Any

from steadypool.errors import NotBorrowedError


class Blocks:
    """The open blocks of one pool. Thread-safe: a frame is run by one thread at a time.

    `holder` tells who runs: the thread or the task.
    """

    def __init__(self, holder: Callable[[], int]) -> None:
        self._holder = holder
        self._open: dict[FrameType, list[tuple[int, Any]]] = {}

    def enter(self, frame: FrameType, connection: Any) -> None:
        """Begin a block."""
        self._open.setdefault(frame, []).append((self._holder(), connection))

    def forget(self, frame: FrameType, connection: Any) -> None:
        """Undo what `enter` may have done before it was interrupted."""
        others = [block for block in self._open.pop(frame, []) if block[1] is not connection]
        if others:
            self._open[frame] = others

    def leave(self, frame: FrameType) -> Any:
        """End a block, and return its connection. Raises NotBorrowedError."""
        blocks = self._open.get(frame)
        if blocks is None:
            frame = self._entered_elsewhere(frame)
            blocks = self._open[frame]
        _, connection = blocks[-1]  # from here on no call, in which an interrupt could strike
        del blocks[-1]
        if not blocks:
            del self._open[frame]
        return connection

    def _entered_elsewhere(self, frame: FrameType | None) -> FrameType:
        holder = self._holder()
        mine = [entry for entry, blocks in list(self._open.items()) if blocks[-1][0] == holder]
        running = set()
        while frame is not None:
            running.add(frame)
            frame = frame.f_back
        ended = [entry for entry in mine if entry not in running]
        if not mine:
            raise NotBorrowedError(
                "this thread or task has entered no block that it could leave; what is to be left "
                "elsewhere is borrowed with the pool's connection()"
            )
        return (ended or mine)[-1]
