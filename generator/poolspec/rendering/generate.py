"""From specs to the finished text of every module.

Three strides: render each module, format all of them in one go, check the shape of each. With many
files the first and the last are shared out among processes.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from poolspec import headers
from poolspec.model import SpecClass
from poolspec.rendering import names
from poolspec.rendering.formatting import format_folder
from poolspec.rendering.render import render_module
from poolspec.rendering.shape import check_shape
from poolspec.rendering.sharing import shared_map

Progress = Callable[[str], None]


def module_name(spec: SpecClass) -> str:
    """Return the file name of a spec's module."""
    return f"test_{names.word(spec.stem)}.py"


def generate_modules(
    specs: Sequence[SpecClass], progress: Progress = lambda _: None
) -> dict[str, str]:
    """Return the finished modules by file name, in the order of the specs.

    Raises RenderError, FormatError or ShapeError if poolspec itself is at fault.
    """
    with tempfile.TemporaryDirectory(prefix="poolspec-") as name:
        folder = Path(name)
        progress(f"rendering {len(specs)} modules")
        shared_map(lambda spec: _put(spec, folder), specs)
        progress(f"formatting {len(specs)} modules")
        format_folder(folder)
        progress(f"checking {len(specs)} modules")
        return dict(shared_map(lambda spec: _finished(spec, folder), specs))


def _put(spec: SpecClass, folder: Path) -> None:
    (folder / module_name(spec)).write_text(render_module(spec), "utf-8")


def _finished(spec: SpecClass, folder: Path) -> tuple[str, str]:
    """Return a module by its name: read back, checked, and with its header on."""
    name = module_name(spec)
    body = (folder / name).read_text("utf-8")
    check_shape(body, spec)
    source, digest = names.source_path(spec.path), names.digest(spec.sha256)
    return name, headers.stamp_python(body, source, digest)
