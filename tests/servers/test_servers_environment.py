"""A directory without room or rights, a user without a home, a server that has ended."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from tests.servers.conftest import HAS_MARIADB, KINDS

from poolspec.servers import (
    PrivateServer,
    ServerEndedError,
    ServerError,
    ServerKind,
    mysqld,
    start_server,
)

needs_mariadb = pytest.mark.skipif(not HAS_MARIADB, reason="mariadbd is not installed")
REMEDY = "Free some space and allow writing there, or set TMPDIR to another directory."


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file system of 20 MB that TMPDIR names."""
    with tempfile.TemporaryDirectory(prefix="ps-") as made:
        mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", made]
        if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("this user may not mount a file system")
        monkeypatch.setenv("TMPDIR", made)
        try:
            yield Path(made)
        finally:
            subprocess.run(["umount", made], check=True)


def fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="28"):
        while True:
            filler.write(bytes(1 << 16))


@needs_mariadb
def test_a_directory_without_room_for_a_server_is_an_error_with_figures(small: Path) -> None:
    with pytest.raises(ServerError) as wrong:
        start_server("mariadb")
    assert str(wrong.value) == (
        f"{small} has room for 21.0 MB, not for the 40 MB for a private server. {REMEDY}"
    )
    assert list(small.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_directory_is_an_error_before_anything_starts(small: Path, kind: ServerKind) -> None:
    fill(small)
    with pytest.raises(ServerError) as wrong:
        start_server(kind)
    assert str(wrong.value) == (
        f"No private server can be made in {small}: No space left on device. {REMEDY}"
    )
    assert [path.name for path in small.iterdir()] == ["filler"]


def test_a_running_server_whose_directory_is_full_cannot_be_used(small: Path) -> None:
    server = start_server("embedded")
    server.check()
    fill(small)
    with pytest.raises(ServerError, match=r"has room for 0\.0 MB, not for the 1 MB for") as wrong:
        server.check()
    server.stop()
    assert not isinstance(wrong.value, ServerEndedError)


@pytest.mark.parametrize("kind", KINDS)
def test_a_directory_that_cannot_be_used_is_an_error_with_its_name(
    kind: ServerKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", "/no/such/directory")
    with pytest.raises(ServerError) as wrong:
        start_server(kind)
    assert str(wrong.value) == (
        f"No private server can be made in /no/such/directory: No such file or directory. {REMEDY}"
    )


def homeless(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "file").touch()
    monkeypatch.setenv("HOME", str(folder / "file"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


def test_a_user_without_a_home_keeps_the_cache_in_the_directory_for_temporary_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    homeless(monkeypatch, tmp_path)
    place = tmp_path / f"poolspec-cache-of-{os.getuid()}"
    assert mysqld._cache() == place
    assert mysqld._cache() == place
    assert place.stat().st_mode & 0o777 == 0o700


def test_a_cache_that_others_may_write_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    homeless(monkeypatch, tmp_path)
    place = tmp_path / f"poolspec-cache-of-{os.getuid()}"
    place.mkdir()
    place.chmod(0o777)
    with pytest.raises(mysqld.UnusableError) as wrong:
        mysqld._cache()
    assert str(wrong.value) == (
        f"{place} belongs to another user, or others have access to it. Remove it, or set "
        "XDG_CACHE_HOME to a directory that can be written."
    )


@needs_mariadb
def test_without_a_usable_cache_auto_is_the_embedded_server_and_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    server = start_server("auto")
    server.stop()
    assert server.kind is ServerKind.EMBEDDED
    assert server.note.startswith("The embedded server was used. The empty data directory of /")
    assert f"cannot be kept in {tmp_path / 'file'}" in server.note
    assert server.note.endswith(
        ": Not a directory. Free some space and allow writing there, or set XDG_CACHE_HOME to "
        "another directory."
    )


@needs_mariadb
def test_a_cache_without_room_is_an_error_with_figures(
    monkeypatch: pytest.MonkeyPatch, small: Path
) -> None:
    monkeypatch.setenv("TMPDIR", "/tmp")
    monkeypatch.setenv("XDG_CACHE_HOME", str(small))
    with pytest.raises(mysqld.UnusableError) as wrong:
        start_server("mariadb")
    assert str(wrong.value) == (
        f"{small}/poolspec has room for 21.0 MB, not for the 40 MB for an empty data directory. "
        "Free some space, or set XDG_CACHE_HOME to another directory."
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_has_ended_is_replaced(kind: ServerKind) -> None:
    server = cast(PrivateServer, start_server(kind))
    before = server.directory
    server.check()
    os.kill(server.pid, signal.SIGKILL)
    with pytest.raises(ServerEndedError) as ended:
        checked(server)
    assert ended.value.what == (
        f"The private {kind} server, process {server.pid}, ended (signal SIGKILL), "
        "and no test has caused it."
    )
    assert str(ended.value).startswith(f"{ended.value.what} ")
    server.revive()
    server.check()
    server.drop_tenant(server.create_tenant())
    assert not before.exists()
    server.stop()
    assert not server.directory.exists()


def checked(server: PrivateServer) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        server.check()
        time.sleep(0.005)


def test_a_server_whose_directory_was_removed_has_ended() -> None:
    server = cast(PrivateServer, start_server("embedded"))
    subprocess.run(["rm", "-r", str(server.directory)], check=True)
    with pytest.raises(ServerEndedError, match=f"has lost its directory {server.directory}, which"):
        server.check()
    server.revive()
    server.check()
    server.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_statement_is_an_error_with_its_number(kind: ServerKind) -> None:
    server = cast(PrivateServer, start_server(kind))
    with pytest.raises(ServerError, match=r"^\(1064\) "):
        server._admin.run("NONSENSE")
    server.stop()
