"""Finds specs that were edited after their tests were generated.

pytest runs the generated modules. Without this check, an edited spec that was not generated again
would seem to pass or fail, while its old tests ran.
"""

from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from poolspec.plugin.header_reader import Header, read_header


def stale_specs(root: Path, modules: Iterable[str]) -> list[str]:
    """Return the specs that were edited after these modules were generated; all as paths."""
    headers = (read_header(root / module) for module in sorted(set(modules)))
    return sorted({header.spec for header in headers if header and is_stale(root, header)})


def is_stale(root: Path, header: Header) -> bool:
    """Return whether the spec of a module was edited. A spec that cannot be read was not."""
    if header.digest is None:
        return False
    with suppress(OSError):
        found = sha256((root / header.spec).read_bytes()).hexdigest()
        return not found.startswith(header.digest)
    return False


def warning(specs: list[str]) -> list[str]:
    """Return the warning about stale specs, as lines."""
    if not specs:
        return []
    verb = "has" if len(specs) == 1 else "have"
    return [f"{', '.join(specs)} {verb} changed since these tests were generated: run poolspec gen"]
