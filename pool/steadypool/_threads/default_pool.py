"""The default pool of a process, created by the first call.

The lock is held while the pool opens its connections, so concurrent first calls get the same pool.
A call from inside that work, in the same thread, cannot wait for it and is refused.
"""

import inspect
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from steadypool._threads.pool import ConnectionPool
from steadypool.errors import PoolConfigError, ReentrantCallError

_DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(ConnectionPool).parameters.items()
}


class _Default:
    """The pool, and the options it was created with."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.is_busy = False
        """Whether the thread that holds the lock is creating or closing the pool."""
        self.pool: ConnectionPool | None = None
        self.options: dict[str, Any] = {}


_default = _Default()


def get_global_pool(**options: Any) -> ConnectionPool:
    """Return the process-wide pool; the first call creates it, with `ConnectionPool`'s options.

    Later calls pass no options, or the same ones. Other options raise PoolConfigError, which names
    them. After the pool was closed, the next call creates another one. Thread-safe. Raises
    ReentrantCallError in a hook or signal handler that runs while its thread creates the pool.
    """
    pool = _default.pool
    if pool is None or pool.closed:
        with _alone():
            pool = _default.pool
            if pool is None or pool.closed:
                pool = ConnectionPool(**options)
                _default.options = _DEFAULTS | options
                _default.pool = pool
    _check_same(options, _default.options)
    return pool


def close_global_pool() -> None:
    """Close the process-wide pool, if there is one. Thread-safe.

    Raises ReentrantCallError as `get_global_pool` does.
    """
    with _alone():
        pool, _default.pool = _default.pool, None
        if pool is not None:
            pool.close()


@contextmanager
def _alone() -> Iterator[None]:
    with _default.lock:
        if _default.is_busy:
            raise ReentrantCallError("global")
        _default.is_busy = True
        try:
            yield
        finally:
            _default.is_busy = False


def _check_same(options: dict[str, Any], created_with: dict[str, Any]) -> None:
    missing = object()
    different = [key for key in options if options[key] != created_with.get(key, missing)]
    if different:
        # Only the names: `config` may be a URL with a password.
        raise PoolConfigError(
            "the global pool was created with other options: "
            f"{', '.join(sorted(different))} differ. "
            "Call get_global_pool without options, or close the pool first (close_global_pool)"
        )


def _after_fork_in_child() -> None:
    _default.lock = threading.RLock()
    _default.is_busy = False


os.register_at_fork(after_in_child=_after_fork_in_child)
