"""The default pool of a process, created by the first call.

The lock is held while the pool opens its connections, so concurrent first calls get the same pool.
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


class _Default:
    """The pool, and the options it was created with."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pool: ConnectionPool | None = None
        self.options: dict[str, Any] = {}


_default = _Default()


def get_global_pool(**options: Any) -> ConnectionPool:
    """Return the process-wide pool; the first call creates it, with `ConnectionPool`'s options.

    Later calls pass no options, or the same ones. Other options raise PoolConfigError, which names
    them. After the pool was closed, the next call creates another one. Thread-safe.
    """
    with _default.lock:
        if _default.pool is None or _default.pool.closed:
            _default.pool = ConnectionPool(**options)
            _default.options = _DEFAULTS | options
        else:
            _check_same(options, _default.options)
        return _default.pool


def close_global_pool() -> None:
    """Close the process-wide pool, if there is one. Thread-safe."""
    with _default.lock:
        pool, _default.pool = _default.pool, None
        if pool is not None:
            pool.close()


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
    _default.lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork_in_child)
