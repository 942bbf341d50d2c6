"""The one pool of a process, made when it is first asked for.

The lock is held while that pool opens its connections, so that all who ask at once get the same.
"""

import inspect
import os
import threading
from typing import Any

from steadypool._threads.pool import ConnectionPool
from steadypool.errors import PoolConfigError

_DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(ConnectionPool).parameters.items()
}


class _Shared:
    """The pool, and the options that it was made with."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pool: ConnectionPool | None = None
        self.options: dict[str, Any] = {}


_shared = _Shared()


def get_global_pool(**options: Any) -> ConnectionPool:
    """Return the process-wide pool; make it, with `ConnectionPool`'s options, if there is none.

    Later calls give no options, or the same ones; other ones raise PoolConfigError, which names
    them. After the pool was closed, the next call makes another. Thread-safe.
    """
    with _shared.lock:
        if _shared.pool is None or _shared.pool.closed:
            _shared.pool = ConnectionPool(**options)
            _shared.options = _DEFAULTS | options
        else:
            _check_same(options, _shared.options)
        return _shared.pool


def close_global_pool() -> None:
    """Close the process-wide pool, if there is one, and forget it."""
    with _shared.lock:
        pool, _shared.pool = _shared.pool, None
        if pool is not None:
            pool.close()


def _check_same(options: dict[str, Any], made_with: dict[str, Any]) -> None:
    missing = object()
    different = [key for key in options if options[key] != made_with.get(key, missing)]
    if different:
        # Names alone: `config` may be a URL with a password in it.
        raise PoolConfigError(
            f"the global pool was made with other options: {', '.join(sorted(different))} differ. "
            "Ask for it without options, or close it first (close_global_pool)"
        )


def _after_fork_in_child() -> None:
    _shared.lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork_in_child)
