"""The blocks of a pool: which connection each `with pool` or `async with pool` borrowed.

A pool is one object for all of its blocks, and Python does not say which of them ends. But `with`
and `ExitStack` look `__exit__` up before they call `__enter__`, and call later what they found. So
every look-up finds another object, a `Block`, and the `__enter__` that belongs to the look-up gives
its connection to it. Blocks may therefore end in any order, in any thread or task.

The look-up belongs to an `__enter__` if the same frame makes both: the frame of a `with` statement,
or of a method of `ExitStack`. Overridden methods may lie in between, and other tasks may run
meanwhile. An `__exit__` that a program looked up elsewhere and kept belongs to no block.

A subclass may override `__exit__`. Then its method becomes the end of the block, and the call of
the pool's own `__exit__` in it ends the same block.

A block that is entered by hand, by calling `pool.__enter__()`, has no such object. It ends with
`pool.__exit__(...)` in the same thread or task, and must be the only one there: with several it is
unknown which of them ends.
"""

import sys
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from types import CodeType, FrameType, FunctionType
from typing import Any, Final

from steadypool.errors import NotBorrowedError

_thread = threading.local()
"""`found`: the blocks that this thread looked up and has not entered.

The references are weak: a look-up that enters nothing, such as `hasattr`, leaves nothing behind.
"""


ENDED: Final = object()
"""`Block.connection` of a block that has ended."""


class Block(ABC):
    """The end of one block of a pool: what `with pool` finds as the pool's `__exit__`."""

    __slots__ = ("__weakref__", "connection", "owner", "place")

    def __init__(self, owner: Any, place: tuple[int, CodeType]) -> None:
        self.owner = owner
        """The pool; None if it was looked up at the class and comes as the first argument."""
        self.place = place
        """Of the look-up: the identity of the frame, and its code."""
        self.connection: Any = None

    @abstractmethod
    def __call__(self, *details: Any) -> Any:
        """End the block, with the arguments of `__exit__`."""


class OverriddenBlock(Block):
    """A block of a pool whose class overrides `__exit__`."""

    __slots__ = ("override",)

    def __init__(
        self, override: Callable[..., Any], owner: Any, place: tuple[int, CodeType]
    ) -> None:
        super().__init__(owner, place)
        self.override = override

    def ending(self, owner: Any) -> tuple[Any, Block] | None:
        """Return the pool and this block, or those of the subclass whose method calls this one."""
        return _ending.get() if self.connection is None else (owner, self)

    def __call__(self, *details: Any) -> Any:
        """End the block with the method of the subclass."""
        owner = self.owner or details[0]
        before = _ending.set(self.ending(owner))
        try:
            return self.override(owner, *details[-3:])
        finally:
            _ending.reset(before)


class AsyncOverriddenBlock(OverriddenBlock):
    """The same for `__aexit__`."""

    __slots__ = ()

    async def __call__(self, *details: Any) -> Any:
        """End the block with the method of the subclass."""
        owner = self.owner or details[0]
        before = _ending.set(self.ending(owner))
        try:
            return await self.override(owner, *details[-3:])
        finally:
            _ending.reset(before)


_ending: ContextVar[tuple[Any, Block] | None] = ContextVar("_ending", default=None)
"""The pool and the block whose overridden `__exit__` runs."""


def connection_to_release(owner: Any) -> Any:
    """Return the connection of the block that ends, for a look-up of `__exit__` without a block."""
    ending = _ending.get()
    if ending is None or ending[0] is not owner or ending[1].connection is None:
        return owner._by_hand.leave()
    connection, ending[1].connection = ending[1].connection, ENDED
    return connection


class BlockEnd:
    """The descriptor for `__exit__`: every look-up makes another block of this kind."""

    def __init__(self, kind: Callable[[Any, tuple[int, CodeType]], Block]) -> None:
        self._kind = kind

    def __get__(self, owner: object, _: type[Any]) -> Callable[..., Any]:
        frame = sys._getframe(1)
        block = self._kind(owner, (id(frame), frame.f_code))
        found = _looked_up()
        found.append(weakref.ref(block, found.remove))
        return block


def adopt_override(kind: type, name: str, block: type[OverriddenBlock]) -> None:
    """Make the overridden `__exit__` of a subclass the end of a block."""
    override = kind.__dict__.get(name)
    if isinstance(override, FunctionType):
        setattr(kind, name, BlockEnd(partial(block, override)))


def next_block(owner: Any) -> Block | None:
    """Return the block that the caller of this `__enter__` begins; None: it is entered by hand."""
    found = _looked_up()
    frame: FrameType | None = sys._getframe(2) if found else None
    while frame is not None and frame.f_code.co_name in _ENTERS and _is_of(frame, owner):
        frame = frame.f_back
    if frame is None:
        return None
    place = (id(frame), frame.f_code)
    for reference in reversed(found):
        block = reference()
        if block is not None and block.place == place and block.owner in (None, owner):
            found.remove(reference)
            return block
    return None


_ENTERS = ("__enter__", "__aenter__")
"""A subclass may override these."""


def _is_of(frame: FrameType, owner: Any) -> bool:
    """Whether a frame runs a method of the pool."""
    code = frame.f_code
    return code.co_argcount > 0 and frame.f_locals.get(code.co_varnames[0]) is owner


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
