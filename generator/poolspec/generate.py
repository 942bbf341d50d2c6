"""From specs to the finished text of every module.

Three strides: render each module, format all of them in one go, check the shape of each. With many
files the first and the last are shared out among processes; the text is the same either way.
"""

import gc
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from poolspec import headers, names
from poolspec.formatting import format_folder
from poolspec.model import SpecClass
from poolspec.render import render_module
from poolspec.shape import check_shape

MANY = 64
"""From so many files on, starting processes costs less than it saves."""
_CHUNK = 16
"""Files that a process takes at a time."""

Progress = Callable[[str], None]
Modules = list[tuple[str, str]]


def module_name(spec: SpecClass) -> str:
    """Return the file name of a spec's module."""
    return f"test_{names.word(spec.stem)}.py"


def generate_modules(
    specs: Sequence[SpecClass], progress: Progress = lambda _: None
) -> dict[str, str]:
    """Return the finished modules by file name, in the order of the specs.

    Raises RenderError, FormatError or ShapeError if poolspec itself is at fault.
    """
    with tempfile.TemporaryDirectory(prefix="poolspec-") as folder:
        work = _Work(tuple(specs), Path(folder))
        with _sharing(work) as share:
            progress(f"rendering {len(specs)} modules")
            share(_Work.render)
            progress(f"formatting {len(specs)} modules")
            format_folder(work.folder)
            progress(f"checking {len(specs)} modules")
            return dict(share(_Work.finish))


class _Work:
    """What is done to a range of the specs, by whichever process."""

    def __init__(self, specs: tuple[SpecClass, ...], folder: Path) -> None:
        self.specs = specs
        self.folder = folder

    def render(self, part: range) -> Modules:
        """Write the unformatted modules into the folder."""
        for at in part:
            path = self.folder / module_name(self.specs[at])
            path.write_text(render_module(self.specs[at]), "utf-8")
        return []

    def finish(self, part: range) -> Modules:
        """Read the formatted modules back, check them, and put their headers on."""
        return [self._finish_one(self.specs[at]) for at in part]

    def _finish_one(self, spec: SpecClass) -> tuple[str, str]:
        name = module_name(spec)
        body = (self.folder / name).read_text("utf-8")
        check_shape(body, spec)
        source, digest = names.source_path(spec.path), names.digest(spec.sha256)
        return name, headers.stamp_python(body, source, digest)


Stride = Callable[[_Work, range], Modules]

_inherited: list[_Work] = []
"""The work of forked processes. To send all specs through a pipe would take longer than to fork."""


def _forked(stride: Stride, part: range) -> Modules:
    return stride(_inherited[-1], part)


@contextmanager
def _sharing(work: _Work) -> Iterator[Callable[[Stride], Modules]]:
    """Yield what carries out a stride for all specs: here, or in processes if there are many."""
    count = len(work.specs)
    if count < MANY or "fork" not in multiprocessing.get_all_start_methods():
        yield lambda stride: stride(work, range(count))
        return
    parts = [range(at, min(at + _CHUNK, count)) for at in range(0, count, _CHUNK)]
    _inherited.append(work)
    try:
        # A worker lives for seconds and makes no cycles worth finding: collecting would only cost.
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(os.cpu_count(), context, gc.disable) as pool:
            yield lambda stride: [
                module
                for finished in pool.map(_forked, [stride] * len(parts), parts)
                for module in finished
            ]
    finally:
        _inherited.pop()
