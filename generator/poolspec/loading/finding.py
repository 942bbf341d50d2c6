"""Which files are meant by the paths that a user gives, and how texts name them."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

_ENDINGS = (".yaml", ".yml")

Refuse = Callable[[Path, str, str], None]
"""Told of a path that cannot be read: what is wrong with it, and a hint."""


def find_files(paths: Sequence[Path], refuse: Refuse) -> list[Path]:
    """All spec files, each once, in the order of their absolute paths. What is none is refused."""
    files = {absolute(path): path for path in _files(paths, refuse)}
    return [files[whole] for whole in sorted(files)]


def absolute(path: Path) -> Path:
    """The one way to write a path: `..` is resolved, links are not."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - it would keep `..`


def model_path(shown_path: str) -> PurePosixPath:
    """The path that generated text names: nothing above the root's or the file's own folder."""
    path = PurePosixPath(shown_path)
    if path.is_absolute() or ".." in path.parts:
        return PurePosixPath(*path.parts[-2:])
    return path


def _files(paths: Sequence[Path], refuse: Refuse) -> Iterator[Path]:
    """All files that were asked for. What is not one is reported."""
    for path in paths:
        if path.suffix in _ENDINGS:
            yield path
        elif _is_folder(path):
            yield from _walk(path, refuse)
        else:
            hint = "name a folder, or a file that ends in .yaml or .yml"
            refuse(path, "there is no such folder or spec file", hint)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _walk(folder: Path, refuse: Refuse) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        reason = os.strerror(error.errno or 0).lower()
        refuse(Path(error.filename), f"cannot be read: {reason}", "")

    for parent, folders, files in os.walk(folder, onerror=unreadable):
        for name in [*folders, *files]:
            if name.endswith(_ENDINGS) and not name.startswith("."):
                yield Path(parent, name)
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
