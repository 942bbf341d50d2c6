"""Expectations in the block of `lab.within`: kept until its end, then repeated until all hold."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

__tracebackhide__ = True  # a failure is shown where the test failed

Checks = list[Callable[[], Awaitable[None] | None]]
_kept: ContextVar[Checks | None] = ContextVar("kept", default=None)
"""The expectations of the block that this thread or task is in."""
_once: ContextVar[bool] = ContextVar("once", default=False)
"""Whether a check looks once, because it is repeated."""


@contextmanager
def kept() -> Iterator[Checks]:
    """Keep the expectations of the block, which check nothing yet."""
    checks: Checks = []
    token = _kept.set(checks)
    try:
        yield checks
    finally:
        _kept.reset(token)


def expect(check: Callable[..., None], *arguments: Any) -> None:
    """Check an expectation now, or at the end of the block of `within`."""
    checks = _kept.get()
    if checks is None:
        check(*arguments)
    else:
        checks.append(partial(check, *arguments))


async def expect_async(check: Callable[..., Awaitable[None]], *arguments: Any) -> None:
    """Check an expectation that waits now, or at the end of the block of `within`."""
    checks = _kept.get()
    if checks is None:
        await check(*arguments)
    else:
        checks.append(partial(check, *arguments))


@contextmanager
def looking_once(once: bool) -> Iterator[None]:
    """Let the checks of the block look at the server once, if asked to, and not wait for it.

    On a virtual clock many tries fit into a moment. If each waited for the server in real time, a
    test would run into its deadline, which hides the expectation that failed.
    """
    token = _once.set(once)
    try:
        yield
    finally:
        _once.reset(token)


def looks_once() -> bool:
    """Return whether a check is repeated, and so need not wait for the server."""
    return _once.get()
