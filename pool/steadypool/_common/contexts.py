"""The blocks of a pool: which connection each `with pool` or `async with pool` borrowed.

A pool is one object for all of its blocks, and Python does not say which of them ends. But `with`
and `ExitStack` look `__exit__` up before they call `__enter__`, and call later what they found. So
every look-up finds another object, a `Block`, and the next `__enter__` of the same thread gives its
connection to it. Blocks may therefore end in any order, in any thread or task.

A block that is entered by hand, by calling `pool.__enter__()`, has no such object. It ends with
`pool.__exit__(...)` in the same thread or task, and must be the only one there: with several it is
unknown which of them ends.
"""

import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from steadypool.errors import NotBorrowedError

_thread = threading.local()
"""`found`: the blocks that this thread looked up and has not entered; the next one is the last.

The references are weak: a look-up that enters nothing, such as `hasattr`, leaves nothing behind.
"""


class Block(ABC):
    """The end of one block of a pool: what `with pool` finds as the pool's `__exit__`."""

    __slots__ = ("__weakref__", "connection", "owner")

    def __init__(self, owner: Any) -> None:
        self.owner = owner
        """The pool; None if it was looked up at the class and comes as the first argument."""
        self.connection: Any = None

    @abstractmethod
    def __call__(self, *details: Any) -> Any:
        """End the block, with the arguments of `__exit__`."""


class BlockEnd:
    """The descriptor for `__exit__`: every look-up makes another block of this kind."""

    def __init__(self, kind: type[Block]) -> None:
        self._kind = kind

    def __get__(self, owner: object, _: type[Any]) -> Callable[..., Any]:
        block = self._kind(owner)
        found = _looked_up()
        while found and found[-1]() is None:
            del found[-1]
        found.append(weakref.ref(block))
        return block


def next_block() -> Block | None:
    """Return the block that the running thread looked up and enters now; None: it is by hand."""
    found = _looked_up()
    block = None
    while found and block is None:
        block = found.pop()()
    return block


def _looked_up() -> "list[weakref.ref[Block]]":
    try:
        found: list[weakref.ref[Block]] = _thread.found
    except AttributeError:
        found = _thread.found = []
    return found


class BlocksByHand:
    """The connections of the blocks of one pool that were entered by hand, by thread or task.

    `runner` returns the identity of the running thread or task. Thread-safe.
    """

    def __init__(self, runner: Callable[[], int]) -> None:
        self._runner = runner
        self._open: dict[int, list[Any]] = {}

    def enter(self, connection: Any) -> None:
        """Begin a block."""
        self._open.setdefault(self._runner(), []).append(connection)

    def leave(self) -> Any:
        """End the only block of the running thread or task. Raises NotBorrowedError."""
        runner = self._runner()
        connections = self._open.get(runner, [])
        if len(connections) != 1:
            raise NotBorrowedError(
                f"this thread or task has {len(connections) or 'no'} blocks of the pool that were "
                "entered by hand, so it is unknown which one ends; borrow with the pool's "
                "connection()"
            )
        del self._open[runner]
        return connections[0]
