"""From specs to the finished text of every module.

Three strides: render each module, format all of them in one go, check the shape of each.
"""

from collections.abc import Sequence
from pathlib import Path

from poolspec import headers
from poolspec.folders import make_folder
from poolspec.model import SpecClass
from poolspec.python import names
from poolspec.rendering.formatting import format_folder
from poolspec.rendering.render import render_module
from poolspec.rendering.shape import check_shape
from poolspec.vocabulary import Concurrency


def module_name(spec: SpecClass, concurrency: Concurrency) -> str:
    """Return the file name of a spec's module for threads or for asyncio."""
    names.word(spec.stem)
    return spec.module(concurrency)


def generate_modules(specs: Sequence[SpecClass]) -> list[dict[str, str]]:
    """Return the finished modules of each spec, by file name.

    Raises RenderError, FormatError or ShapeError if poolspec itself is at fault.
    """
    with make_folder() as place:
        # A folder each: two specs that were wrongly given one name must not meet here.
        folders = [place / f"spec_{number}" for number in range(len(specs))]
        for spec, folder in zip(specs, folders, strict=True):
            folder.mkdir()
            for concurrency in spec.concurrency:
                module = render_module(spec, concurrency)
                (folder / module_name(spec, concurrency)).write_text(module, "utf-8")
        format_folder(place)
        return [_finished(spec, folder) for spec, folder in zip(specs, folders, strict=True)]


def _finished(spec: SpecClass, folder: Path) -> dict[str, str]:
    """Return the modules of a spec read back, checked, and with their headers."""
    modules = {}
    for concurrency in spec.concurrency:
        name = module_name(spec, concurrency)
        body = (folder / name).read_text("utf-8")
        check_shape(body, spec, concurrency)
        modules[name] = _stamped(body, spec)
    return modules


def _stamped(body: str, spec: SpecClass) -> str:
    source, digest = names.source_path(spec.path), names.digest(spec.sha256)
    return headers.stamp_python(body, source, digest)
