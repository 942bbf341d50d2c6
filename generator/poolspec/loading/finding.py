"""Finds the spec files under the paths that a user gives, and names them in texts."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

_ENDINGS = (".yaml", ".yml")

Refuse = Callable[[Path, str, str], None]
"""Called with a path that cannot be read, the reason, and a hint."""


def find_files(paths: Sequence[Path], refuse: Refuse) -> list[Path]:
    """All spec files, each once, in the order of their absolute paths. Others are refused."""
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
    """Yield all files that were asked for; report paths that are none."""
    for path in paths:
        if path.suffix.lower() in _ENDINGS:
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

    seen = {os.path.realpath(folder)}
    for parent, folders, files in os.walk(folder, onerror=unreadable, followlinks=True):
        for name in [*folders, *files]:
            if name.lower().endswith(_ENDINGS) and not name.startswith("."):
                yield Path(parent, name)
        plain = sorted(name for name in folders if not name.startswith((".", "__")))
        folders[:] = [name for name in plain if _is_first(Path(parent, name), folder, seen)]


def _is_first(path: Path, root: Path, seen: set[str]) -> bool:
    """Return whether to enter a folder: each is read once, and a link never leads in circles.

    A link into the tree itself is left out, since the tree has the folder under its own name.
    """
    target = os.path.realpath(path)
    inside = Path(target).is_relative_to(os.path.realpath(root))
    if target in seen or (path.is_symlink() and inside):
        return False
    seen.add(target)
    return True
