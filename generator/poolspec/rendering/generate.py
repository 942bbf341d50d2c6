"""From specs to the finished text of every module.

Three strides: render each module, format all of them in one go, check the shape of each.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from poolspec import headers
from poolspec.model import SpecClass
from poolspec.python import names
from poolspec.rendering.formatting import format_folder
from poolspec.rendering.render import render_module
from poolspec.rendering.shape import check_shape


def module_name(spec: SpecClass) -> str:
    """Return the file name of a spec's module."""
    return f"test_{names.word(spec.stem)}.py"


def generate_modules(specs: Sequence[SpecClass]) -> list[str]:
    """Return the finished module of each spec.

    Raises RenderError, FormatError or ShapeError if poolspec itself is at fault.
    """
    with tempfile.TemporaryDirectory(prefix="generating-") as name:
        # Numbered, for two specs that were wrongly given one name must not meet here.
        files = [Path(name, f"module_{number}.py") for number in range(len(specs))]
        for spec, file in zip(specs, files, strict=True):
            file.write_text(render_module(spec), "utf-8")
        format_folder(Path(name))
        return [_finished(spec, file) for spec, file in zip(specs, files, strict=True)]


def _finished(spec: SpecClass, file: Path) -> str:
    """Return a module read back, checked, and with its header on."""
    body = file.read_text("utf-8")
    check_shape(body, spec)
    source, digest = names.source_path(spec.path), names.digest(spec.sha256)
    return headers.stamp_python(body, source, digest)
