"""Loads specs for all commands, with progress on a terminal."""

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
    """Load specs and show the progress. Raises SpecErrors, or Stop if there are no specs."""
    for path in paths:
        if not path.exists():
            raise exits.Stop(f"{path}: no such file or folder", exits.BAD_INPUT)
    with _progress() as progress:
        loaded = load_each(paths, work, root=root, progress=progress)
    if not loaded.made:
        shown = ", ".join(str(path) for path in paths)
        raise exits.Stop(f"{shown}: no spec files (*.yaml) here", exits.BAD_INPUT)
    return loaded


def outlines(specs: Sequence[SpecClass]) -> list[SpecClass]:
    """Return classes without the steps of their tests."""
    return [outline(spec) for spec in specs]


def root_of(specs: Path) -> Path:
    """Return the parent of a folder of specs, so that texts do not depend on the working folder."""
    return Path(os.path.abspath(specs)).parent  # noqa: PTH100 - keeps links


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Show on a terminal how many specs are done, and erase this at the end."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        yield lambda done: _show_progress(f"{counted(done, 'spec')} done")
    finally:
        _show_progress("")


def _show_progress(text: str) -> None:
    """Write over the current line of the terminal."""
    sys.stderr.write(f"\r\x1b[K{text}")
    sys.stderr.flush()


def amount(specs: Sequence[SpecClass]) -> str:
    """Return the number of specs and tests, in words."""
    tests = sum(len(spec.tests) for spec in specs)
    return f"{counted(len(specs), 'spec')}, {counted(tests, 'test')}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
