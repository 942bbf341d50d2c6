"""Whether the tests that ran are still those of their specs.

pytest runs what was generated last. Who edits a spec and forgets to generate would look at the
verdict on something else.
"""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from poolspec.plugin.header_reader import HEAD

_HEAD_SIZE = 1000


def outdated(root: Path, modules: Iterable[str]) -> list[str]:
    """Return the specs that were edited since modules were made from them; all as paths."""
    return sorted(spec for module in modules for spec in _edited(root, module))


def _edited(root: Path, module: str) -> Iterable[str]:
    with suppress(OSError, ValueError):  # whatever is not at hand, or no text, tells nothing
        with (root / module).open(encoding="utf-8") as text:
            head = HEAD.match(text.read(_HEAD_SIZE))
        if head is not None and head["sha256"] is not None:
            spec: str = head["spec"]
            if hashlib.sha256((root / spec).read_bytes()).hexdigest() != head["sha256"]:
                yield spec
