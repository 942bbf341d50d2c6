"""At any end of a run neither a process nor a directory is left."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from poolspec.servers import PrivateServer, ServerError, ServerKind, describe_choice, start_server

HAS_MARIADB = "private" in describe_choice("auto")
KINDS = [
    ServerKind.EMBEDDED,
    pytest.param(
        ServerKind.MARIADB,
        marks=pytest.mark.skipif(not HAS_MARIADB, reason="mariadbd is not installed"),
    ),
]
CHILD = """
import sys
from poolspec.servers import start_server
server = start_server(sys.argv[1])
server.create_tenant()
def report():
    print(server.pid, server.guard_pid, server.directory, flush=True)
{then}
"""


def wait_until(holds: Callable[[], bool], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.005)
    return holds()


def runs(pid: int) -> bool:
    # A zombie without a waiting parent has ended once its last thread has.
    process = Path(f"/proc/{pid}")
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" or len(list((process / "task").iterdir())) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def own_temp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A temporary directory that no other run cleans, with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="ps-") as made:
        monkeypatch.setenv("TMPDIR", made)
        monkeypatch.setattr(tempfile, "tempdir", made)
        yield Path(made)


class Child:
    """A process that uses a server, as a test run does."""

    def __init__(self, kind: str, then: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD.format(then=then), kind],
            stdin=subprocess.PIPE,  # kept open: the child ends on demand, not before
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout is not None
        server, guard, directory = self.process.stdout.readline().split()
        self.pids = (int(server), int(guard))
        self.directory = Path(directory)

    def left(self) -> list[object]:
        there: list[object] = [pid for pid in self.pids if runs(pid)]
        return [*there, self.directory] if self.directory.exists() else there

    def end(self) -> None:
        self._close_pipes()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def _close_pipes(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()

    def wait(self) -> int:
        self._close_pipes()
        return self.process.wait(20)


Spawn = Callable[[str, str], Child]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start children; all end with the test."""
    children: list[Child] = []

    def start(kind: str, then: str) -> Child:
        children.append(Child(kind, then))
        return children[-1]

    yield start
    for child in children:
        child.end()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_after_a_stop(kind: ServerKind, spawn: Spawn) -> None:
    child = spawn(kind, "report(); server.stop(); server.stop()")
    assert child.wait() == 0
    assert child.left() == []


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_after_an_exit_without_a_stop(kind: ServerKind, spawn: Spawn) -> None:
    child = spawn(kind, "report()")
    assert child.wait() == 0
    assert wait_until(lambda: child.left() == [])


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_after_kill_9(kind: ServerKind, spawn: Spawn) -> None:
    child = spawn(kind, "report(); input()")
    child.process.kill()
    child.wait()
    assert wait_until(lambda: child.left() == [])


@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_reaches_neither_server_nor_guardian(kind: ServerKind, spawn: Spawn) -> None:
    then = """
import signal
try:
    report()
    signal.pause()
except KeyboardInterrupt:
    ids = server.connection_ids(server.create_tenant())
    print("still there", len(ids), flush=True)
    server.stop()
"""
    child = spawn(kind, then)
    os.killpg(child.process.pid, signal.SIGINT)
    assert child.process.stdout is not None
    assert child.process.stdout.readline() == "still there 0\n"
    assert child.wait() == 0
    assert child.left() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_fork_ends_no_server_and_a_surviving_fork_keeps_none_running(
    kind: ServerKind, spawn: Spawn
) -> None:
    then = """
import os, signal
report()
if os.fork() == 0:
    server.stop()
    signal.pause()
assert server.connection_ids(server.create_tenant()) == frozenset()
print("alive", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    child = spawn(kind, then)
    assert child.process.stdout is not None
    assert child.process.stdout.readline() == "alive\n"
    child.wait()
    assert wait_until(lambda: child.left() == [])


@pytest.mark.usefixtures("own_temp")
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends orphaned servers on Linux")
@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_guardian_ends_the_server_and_the_next_start_removes_the_directory(
    kind: ServerKind, spawn: Spawn
) -> None:
    child = spawn(kind, "report(); input()")
    os.kill(child.pids[1], signal.SIGKILL)
    assert wait_until(lambda: not runs(child.pids[0]))
    assert child.directory.exists()
    server = cast(PrivateServer, start_server(ServerKind.EMBEDDED))
    server.stop()
    child.process.kill()
    child.wait()
    assert server.swept == (child.directory,)
    assert child.left() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_crashed_server_restarts_with_all_commits(kind: ServerKind) -> None:
    server = cast(PrivateServer, start_server(kind))
    try:
        tenant = server.create_tenant()
        server._admin.run(
            f"CREATE TABLE {tenant.database}.t (id INT)",
            f"INSERT INTO {tenant.database}.t VALUES (1)",
        )
        address = server.address
        server.crash()
        with pytest.raises(ServerError):
            server.connection_ids(tenant)
        server.restart()
        assert server.address == address
        assert server._admin.run(f"SELECT id FROM {tenant.database}.t") == ((1,),)
        assert server.connection_ids(tenant) == frozenset()
        server.drop_tenant(tenant)
    finally:
        server.stop()
    assert not server.directory.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_restarted_at_once_is_usable(kind: ServerKind) -> None:
    server = cast(PrivateServer, start_server(kind))
    server.crash()
    server.restart()
    assert server.orphans() == ()
    server.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_paused_server_can_be_stopped(kind: ServerKind) -> None:
    server = cast(PrivateServer, start_server(kind))
    server.pause()
    server.stop()
    assert not server.directory.exists()
    assert not runs(server.pid)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the system cannot tell")
def test_a_paused_server_stops_all_threads_at_once(kind: ServerKind) -> None:
    server = cast(PrivateServer, start_server(kind))
    for _ in range(20):
        server.pause()
        threads = Path(f"/proc/{server.pid}/task").glob("*/stat")
        assert {path.read_text().rpartition(")")[2].split()[0] for path in threads} == {"T"}
        server.resume()
    server.stop()


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_server_continues(kind: ServerKind) -> None:
    server = cast(PrivateServer, start_server(kind))
    server.pause()
    server.resume()
    assert server.orphans() == ()
    server.stop()
