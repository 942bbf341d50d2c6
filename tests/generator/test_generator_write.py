"""Comparing wanted texts with the disk, and writing them."""

import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.suites import DIGEST

from poolspec.headers import sha256, stamp_markdown, stamp_python
from poolspec.write import State, WriteError, act, make_plan


def ours(body: str = "x = 1\n") -> str:
    return stamp_python(body, "specs/a.yaml", DIGEST)


def states(folder: Path, wanted: dict[Path, str]) -> dict[str, State]:
    return {item.path.name: item.state for item in make_plan(wanted, [folder]).changes}


def write(folder: Path, wanted: dict[Path, str]) -> None:
    act(make_plan(wanted, [folder]))


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_missing_file_is_new(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "test_a.py"
    write(target.parent, {target: ours()})
    assert contents(target.parent) == {"test_a.py": ours()}


def test_a_plan_writes_nothing(tmp_path: Path) -> None:
    make_plan({tmp_path / "out" / "test_a.py": ours()}, [tmp_path / "out"])
    assert list(tmp_path.iterdir()) == []


def test_an_up_to_date_file_is_not_touched(tmp_path: Path) -> None:
    target = tmp_path / "test_a.py"
    write(tmp_path, {target: ours()})
    before = target.stat()
    write(tmp_path, {target: ours()})
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_generated_file_with_an_old_text_is_changed(tmp_path: Path) -> None:
    target = tmp_path / "test_a.py"
    target.write_text(ours())
    assert states(tmp_path, {target: ours("x = 2\n")}) == {"test_a.py": State.CHANGED}


def test_a_file_edited_by_hand_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "test_a.py"
    target.write_text(ours() + "y = 1\n")
    plan = make_plan({target: ours("x = 2\n")}, [tmp_path])
    assert [item.state for item in plan.refused] == [State.EDITED]
    assert "-y = 1\n" in plan.diff(plan.refused)


def merge(target: Path, base: str, left: str, right: str) -> None:
    """Leave a file as git leaves it when both branches changed it."""
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    git = ["git", *identity, "-C", str(target.parent)]

    def call(*words: str, expect: int = 0) -> None:
        assert subprocess.run([*git, *words], capture_output=True, check=False).returncode == expect

    def commit(text: str) -> None:
        target.write_text(text)
        call("add", target.name)
        call("commit", "-q", "-m", "change")

    call("init", "-q", "-b", "left")
    commit(base)
    call("checkout", "-q", "-b", "right")
    commit(right)
    call("checkout", "-q", "left")
    commit(left)
    call("merge", "right", expect=1)


@pytest.mark.parametrize(
    ("name", "stamp"), [("test_a.py", stamp_python), ("a.md", stamp_markdown)], ids=["py", "md"]
)
def test_a_generated_file_in_a_merge_conflict_is_generated_again(
    tmp_path: Path, name: str, stamp: Callable[[str, str, str], str]
) -> None:
    lines = [f"line {number}\n" for number in range(40)]
    base, left, right = (
        stamp("".join({**dict(enumerate(lines)), at: new}.values()), "specs/a.yaml", sha256(new))
        for at, new in ((0, "base\n"), (5, "left\n"), (35, "right\n"))
    )
    target = tmp_path / name
    merge(target, base, left, right)
    assert "<<<<<<< " in target.read_text().partition("line 1")[0]
    plan = make_plan({target: ours()}, [tmp_path])
    assert ([item.state for item in plan.changes], plan.refused) == ([State.CONFLICTED], ())
    act(plan)
    assert target.read_text() == ours()


def test_a_conflict_that_begins_above_the_header_is_recognised(tmp_path: Path) -> None:
    sides = ("<<<<<<< HEAD\n", ours(), "||||||| base\n=======\n", ours("x = 2\n"), ">>>>>>> b\n")
    target = tmp_path / "test_a.py"
    target.write_text("".join(sides))
    assert states(tmp_path, {target: ours()}) == {"test_a.py": State.CONFLICTED}


@pytest.mark.parametrize(
    "text",
    [
        "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n",
        "# mine\n" + ours() + "<<<<<<< HEAD\n=======\n>>>>>>> other\n",
    ],
)
def test_a_foreign_file_in_a_merge_conflict_is_refused(tmp_path: Path, text: str) -> None:
    target = tmp_path / "test_a.py"
    target.write_text(text)
    assert states(tmp_path, {target: ours()}) == {"test_a.py": State.FOREIGN}


@pytest.mark.parametrize("rest", ["<<<<<<< HEAD\n", "=======\n", "# <<<<<<< a ======= >>>>>>> b\n"])
def test_a_lone_marker_is_an_edit_by_hand(tmp_path: Path, rest: str) -> None:
    target = tmp_path / "test_a.py"
    target.write_text(ours() + rest)
    assert states(tmp_path, {target: ours()}) == {"test_a.py": State.EDITED}


def test_an_edit_of_the_header_is_an_edit_by_hand(tmp_path: Path) -> None:
    target = tmp_path / "test_a.py"
    target.write_text(ours().replace("sha256: ", "sha1: "))
    assert states(tmp_path, {target: ours()}) == {"test_a.py": State.EDITED}


def test_a_header_has_one_line_of_digests() -> None:
    header = ours().removesuffix("x = 1\n").splitlines()
    assert [line.count("sha256") for line in header] == [0, 1]


def test_a_file_edited_by_hand_to_the_wanted_text_is_unchanged(tmp_path: Path) -> None:
    target = tmp_path / "test_a.py"
    target.write_text(ours())
    assert states(tmp_path, {target: ours()}) == {"test_a.py": State.UNCHANGED}


def test_a_foreign_file_in_the_place_of_a_generated_one_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "test_a.py"
    target.write_text("# mine\n")
    assert states(tmp_path, {target: ours()}) == {"test_a.py": State.FOREIGN}


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_a_file_with_other_line_ends_is_not_taken_for_unchanged(
    tmp_path: Path, line_end: str
) -> None:
    target = tmp_path / "test_a.py"
    target.write_bytes(ours().replace("\n", line_end).encode())
    assert states(tmp_path, {target: ours()}) != {"test_a.py": State.UNCHANGED}


def test_a_binary_file_is_foreign(tmp_path: Path) -> None:
    target = tmp_path / "test_a.py"
    target.write_bytes(b"\xff\xfe\x00")
    assert states(tmp_path, {target: ours()}) == {"test_a.py": State.FOREIGN}


def test_an_orphan_is_removed(tmp_path: Path) -> None:
    (tmp_path / "test_old.py").write_text(ours())
    (tmp_path / "old.md").write_text(stamp_markdown("# Old\n", "specs/old.yaml", DIGEST))
    write(tmp_path, {tmp_path / "test_a.py": ours()})
    assert contents(tmp_path) == {"test_a.py": ours()}


def test_an_orphan_edited_by_hand_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test_old.py").write_text(ours() + "y = 1\n")
    assert states(tmp_path, {}) == {"test_old.py": State.EDITED}


@pytest.mark.parametrize("name", ["conftest.py", "test_mine.py", "notes.md", "data.txt"])
def test_a_foreign_file_is_never_removed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine, not generated by poolspec\n")
    assert states(tmp_path, {}) == {}


def test_a_link_to_a_generated_file_is_no_orphan(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(ours())
    (tmp_path / "test_link.py").symlink_to(elsewhere)
    assert states(tmp_path, {}) == {}


def test_a_link_in_the_place_of_a_generated_file_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "test_a.py"
    target.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteError, match=r"test_a\.py: is a symbolic link; .* remove it"):
        make_plan({target: ours()}, [tmp_path])


def test_a_folder_in_the_place_of_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").mkdir()
    with pytest.raises(WriteError, match=r"test_a\.py: Is a directory"):
        make_plan({tmp_path / "test_a.py": ours()}, [tmp_path])


def test_if_one_draft_cannot_be_written_no_file_is_moved(tmp_path: Path) -> None:
    old = tmp_path / "test_a.py"
    old.write_text(ours())
    (tmp_path / "folder").write_text("a file where a folder should be\n")
    plan = make_plan({old: ours("x = 2\n")}, [tmp_path])
    blocked = make_plan({tmp_path / "zzz" / "test_b.py": ours()}, [])
    (tmp_path / "zzz").write_text("in the way\n")
    with pytest.raises(WriteError, match="zzz"):
        act(type(plan)((*plan.changes, *blocked.changes)))
    assert old.read_text() == ours()
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_does_not_fit_on_the_disk_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    plan = make_plan({path: ours("x = 1\n" * 1000)}, [tmp_path])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(WriteError, match=r"test_it\.py: File too large; fix this"):
            act(plan)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_a_file_owned_by_its_path_needs_no_header(tmp_path: Path) -> None:
    target = tmp_path / "schema.json"
    target.write_text("{}")
    plan = make_plan({target: "[]"}, [], owned=[target])
    assert [item.state for item in plan.changes] == [State.CHANGED]


def test_the_diff_of_a_new_file_starts_from_dev_null(tmp_path: Path) -> None:
    target = tmp_path / "test_a.py"
    assert make_plan({target: ours()}, []).diff().startswith(f"--- /dev/null\n+++ {target}\n")
