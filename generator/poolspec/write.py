"""The only module that writes generated files.

Writing has two parts. `make_plan` compares the wanted texts with the files on the disk and changes
nothing. `act` writes each new text to a draft beside its target, then moves all drafts into place,
then removes files that are no longer generated. If a draft cannot be written, nothing has moved.

A file is ours if it has our header (see `headers`). Any other file is never removed, and is
overwritten only with `--force`. The same holds for a file of ours that was edited by hand. A file
of ours in a merge conflict is overwritten.
"""

import difflib
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from poolspec import headers
from poolspec.headers import Origin


class WriteError(Exception):
    """A file cannot be read, written or removed. The text names it, the reason and the remedy."""


class State(StrEnum):
    """How a file on the disk compares with the wanted text."""

    NEW = "new"
    CHANGED = "changed"
    CONFLICTED = "in a merge conflict"
    UNCHANGED = "unchanged"
    ORPHAN = "no longer made from any spec"
    EDITED = "edited by hand"
    FOREIGN = "not written by poolspec"


_REFUSED = (State.EDITED, State.FOREIGN)
_STATES = {
    Origin.OURS: State.CHANGED,
    Origin.CONFLICTED: State.CONFLICTED,
    Origin.EDITED: State.EDITED,
    Origin.FOREIGN: State.FOREIGN,
}
"""The state of a file that differs from the wanted text."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file: its state, its text, and the wanted text (None: the file is to be removed)."""

    path: Path
    state: State
    before: str
    after: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes, in the order of their paths."""

    changes: tuple[Change, ...]

    @property
    def pending(self) -> tuple[Change, ...]:
        """The files that differ from the wanted texts."""
        return tuple(item for item in self.changes if item.state is not State.UNCHANGED)

    @property
    def refused(self) -> tuple[Change, ...]:
        """The files that are written or removed only with `--force`."""
        return tuple(item for item in self.changes if item.state in _REFUSED)

    def diff(self, changes: Iterable[Change] | None = None) -> str:
        """Return unified diffs from the files to the wanted texts."""
        chosen = self.pending if changes is None else changes
        return "".join(line for change in chosen for line in _diff(change))


def make_plan(
    wanted: Mapping[Path, str], folders: Sequence[Path], *, owned: Sequence[Path] = ()
) -> Plan:
    """Compare wanted texts with the disk.

    `folders` are searched for files of ours that are no longer wanted. `owned` are wanted files
    that are ours by their path, since their format has no room for a header.
    Raises WriteError if a file cannot be read or a link stands in its place.
    """
    changes = [_compare(path, text, path in owned) for path, text in wanted.items()]
    for folder in folders:
        changes += [_orphan(path) for path in _ours(folder) if path not in wanted]
    return Plan(tuple(sorted(changes, key=lambda change: str(change.path))))


def act(plan: Plan) -> None:
    """Carry out a plan, refused files included: check `Plan.refused` first.

    Raises WriteError. If a draft cannot be written, no file has changed.
    """
    written = [change for change in plan.pending if change.after is not None]
    drafts = [(change.path, _draft_path(change.path)) for change in written]
    try:
        for change, (path, draft) in zip(written, drafts, strict=True):
            _write_draft(path, draft, change.after or "")
        for path, draft in drafts:
            draft.replace(path)
        for change in plan.pending:
            if change.after is None:
                change.path.unlink()
    except OSError as error:
        raise _explained(error) from None
    finally:
        for _, draft in drafts:
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def _compare(path: Path, text: str, owned: bool) -> Change:
    before = _read(path)
    if before is None:
        return Change(path, State.NEW, "", text)
    if before == text:
        return Change(path, State.UNCHANGED, before, text)
    found = Origin.OURS if owned else headers.origin(before)
    return Change(path, _STATES[found], before, text)


def _orphan(path: Path) -> Change:
    text = _read(path) or ""
    edited = headers.origin(text) is Origin.EDITED
    return Change(path, State.EDITED if edited else State.ORPHAN, text, None)


def _ours(folder: Path) -> list[Path]:
    """Return the files of a folder that have our header; links are not followed."""
    if not folder.is_dir():
        return []
    try:
        files = [path for path in folder.iterdir() if path.suffix in (".py", ".md", ".svg")]
    except OSError as error:
        raise _explained(error) from None
    plain = (path for path in sorted(files) if path.is_file() and not path.is_symlink())
    return [path for path in plain if headers.origin(_read(path) or "") is not Origin.FOREIGN]


def _read(path: Path) -> str | None:
    """Return the text of a file, or None if there is none. Invalid UTF-8 survives."""
    try:
        if path.is_symlink():
            raise WriteError(
                f"{path}: is a symbolic link; poolspec writes plain files only, remove it"
            )
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _explained(error) from None


def _draft_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.draft")


def _write_draft(path: Path, draft: Path, text: str) -> None:
    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        # Name the user's file, not its draft. The error of a full disk names no file.
        raise WriteError(f"{path}: {error.strerror}; fix this and run again") from None


def _explained(error: OSError) -> WriteError:
    return WriteError(f"{error.filename}: {error.strerror}; fix this and run again")


def _diff(change: Change) -> Iterable[str]:
    before = change.before.splitlines(keepends=True)
    after = (change.after or "").splitlines(keepends=True)
    old = "/dev/null" if change.state is State.NEW else str(change.path)
    new = "/dev/null" if change.after is None else str(change.path)
    for line in difflib.unified_diff(before, after, old, new):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
