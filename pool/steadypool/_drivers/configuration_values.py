"""Checks the values of a configuration, and converts text from a URL or a variable.

Every error names the option and the values allowed. It never quotes a text value, which may be a
password.
"""

import math

from steadypool.errors import PoolConfigError


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise PoolConfigError(f"{name} must be text, not {type(value).__name__} (put it in quotes)")


def _optional_text(name: str, value: object) -> str | None:
    return None if value is None else _text(name, value)


def _port(name: str, value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536:
        return value
    raise PoolConfigError(f"{name} must be a whole number from 1 to 65535, not {value!r}")


def _seconds(name: str, value: object) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]  # or it raises
    except (TypeError, ValueError):
        number = math.nan
    if 0 < number <= 31_536_000:
        return number
    raise PoolConfigError(f"{name} must be seconds, above 0 and at most a year, not {value!r}")


def _optional_seconds(name: str, value: object) -> float | None:
    return None if value is None else _seconds(name, value)


def _boolean(name: str, value: object) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    if isinstance(value, bool):
        return value
    raise PoolConfigError(f"{name} must be true or false, not {value!r}")


def _optional_boolean(name: str, value: object) -> bool | None:
    return None if value is None else _boolean(name, value)


CONVERTERS = {
    "host": _text,
    "port": _port,
    "user": _text,
    "password": _text,
    "database": _optional_text,
    "unix_socket": _optional_text,
    "connect_timeout": _seconds,
    "query_timeout": _optional_seconds,
    "read_timeout": _optional_seconds,
    "write_timeout": _optional_seconds,
    "charset": _text,
    "autocommit": _boolean,
    "tls": _optional_boolean,
    "tls_ca": _optional_text,
    "tls_cert": _optional_text,
    "tls_key": _optional_text,
}
"""The converter for each option of `Config`; raises PoolConfigError."""
