"""The only writer to the disk.

First a plan, then the act. The plan compares what is wanted with what is there, and changes
nothing. The act puts every new text beside its target, then moves all of them into place, then
removes what is no longer made; if a text cannot be put down, nothing has been moved.

A file is ours if it carries our header (see `headers`). No other is ever removed, nor overwritten
unless the user insists; and so it is with a file of ours that was edited by hand.
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
    """A file cannot be read, written or removed; says which, why, and what to do."""


class State(StrEnum):
    """How a file stands to what is wanted of it."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ORPHAN = "no longer made from any spec"
    EDITED = "edited by hand"
    FOREIGN = "not written by poolspec"


_REFUSED = (State.EDITED, State.FOREIGN)


@dataclass(frozen=True, slots=True)
class Change:
    """One file: how it stands, what it holds, what it should hold (None: it should not be)."""

    path: Path
    state: State
    before: str
    after: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, in the order of the paths."""

    changes: tuple[Change, ...]

    @property
    def pending(self) -> tuple[Change, ...]:
        """The files that are not as they should be."""
        return tuple(item for item in self.changes if item.state is not State.UNCHANGED)

    @property
    def refused(self) -> tuple[Change, ...]:
        """The files that are written or removed only if the user insists."""
        return tuple(item for item in self.changes if item.state in _REFUSED)

    def diff(self, changes: Iterable[Change] | None = None) -> str:
        """Return unified diffs from what is there to what should be."""
        chosen = self.pending if changes is None else changes
        return "".join(line for change in chosen for line in _diff(change))


def make_plan(
    wanted: Mapping[Path, str], folders: Sequence[Path], *, owned: Sequence[Path] = ()
) -> Plan:
    """Compare wanted texts with the disk.

    `folders` are searched for our files that are no longer wanted. `owned` are wanted files that
    are ours by their place, since their format has no room for a header.
    Raises WriteError if something is in the way.
    """
    changes = [_compare(path, text, path in owned) for path, text in wanted.items()]
    for folder in folders:
        changes += [_orphan(path) for path in _ours(folder) if path not in wanted]
    return Plan(tuple(sorted(changes, key=lambda change: str(change.path))))


def act(plan: Plan) -> None:
    """Do what a plan says, refused files included: ask `Plan.refused` first.

    Raises WriteError; if that happens before the first file is moved, nothing has changed.
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
    states = {Origin.OURS: State.CHANGED, Origin.EDITED: State.EDITED}
    return Change(path, states.get(found, State.FOREIGN), before, text)


def _orphan(path: Path) -> Change:
    text = _read(path) or ""
    edited = headers.origin(text) is Origin.EDITED
    return Change(path, State.EDITED if edited else State.ORPHAN, text, None)


def _ours(folder: Path) -> list[Path]:
    """Return the files of a folder that carry our header; links are not followed."""
    if not folder.is_dir():
        return []
    try:
        files = [path for path in folder.iterdir() if path.suffix in (".py", ".md")]
    except OSError as error:
        raise _explained(error) from None
    plain = (path for path in sorted(files) if path.is_file() and not path.is_symlink())
    return [path for path in plain if headers.origin(_read(path) or "") is not Origin.FOREIGN]


def _read(path: Path) -> str | None:
    """Return what a file holds, or None if there is none. Bytes that are no text survive."""
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
        # The file that the user knows, not its draft; and a full disk names none at all.
        raise WriteError(f"{path}: {error.strerror}; put that right and run again") from None


def _explained(error: OSError) -> WriteError:
    return WriteError(f"{error.filename}: {error.strerror}; put that right and run again")


def _diff(change: Change) -> Iterable[str]:
    before = change.before.splitlines(keepends=True)
    after = (change.after or "").splitlines(keepends=True)
    old = "/dev/null" if change.state is State.NEW else str(change.path)
    new = "/dev/null" if change.after is None else str(change.path)
    for line in difflib.unified_diff(before, after, old, new):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
