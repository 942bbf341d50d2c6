"""Specs as all commands load them: with their progress on a terminal."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from poolspec.cli import exits
from poolspec.load import Loaded, load_each, outline
from poolspec.model import SpecClass

R = TypeVar("R")


def load(
    paths: Sequence[Path], work: Callable[[Sequence[SpecClass]], Sequence[R]], root: Path
) -> Loaded[R]:
    """Load specs, showing how far it is. Raises SpecErrors, or Stop where there are none."""
    for path in paths:
        if not path.exists():
            raise exits.Stop(f"{path}: there is no such file or folder", exits.BAD_INPUT)
    with _progress() as progress:
        loaded = load_each(paths, work, root=root, progress=progress)
    if not loaded.made:
        shown = ", ".join(str(path) for path in paths)
        raise exits.Stop(f"{shown}: no spec files (*.yaml) in there", exits.BAD_INPUT)
    return loaded


def outlines(specs: Sequence[SpecClass]) -> list[SpecClass]:
    """Return classes without what their tests do."""
    return [outline(spec) for spec in specs]


def root_of(specs: Path) -> Path:
    """The parent of a folder of specs, so that texts do not depend on where we are."""
    return Path(os.path.abspath(specs)).parent  # noqa: PTH100 - keeps links


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Show on a terminal how many specs are done, and wipe that out at the end."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        yield lambda done: _show_progress(f"{counted(done, 'spec')} done")
    finally:
        _show_progress("")


def _show_progress(text: str) -> None:
    """Write over the line before, on the terminal only."""
    sys.stderr.write(f"\r\x1b[K{text}")
    sys.stderr.flush()


def amount(specs: Sequence[SpecClass]) -> str:
    """Say how many specs and tests there are."""
    tests = sum(len(spec.tests) for spec in specs)
    return f"{counted(len(specs), 'spec')}, {counted(tests, 'test')}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
