"""A test that ends in the middle of a fault leaves nothing, whichever fault and end it is."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from tests.leftovers.conftest import Run, wait_until
from tests.leftovers.every_fault import OF_SERVER, begin

from poolspec import processes
from poolspec.leftovers.processes import files_of, ports_of
from poolspec.servers import PrivateServer, describe_choice, start_server
from poolspec.servers.tenants import tenants_on
from poolspec.vocabulary import Fault

pytestmark = pytest.mark.skipif(
    "private" not in describe_choice("auto") or not Path("/proc/self/fd").exists(),
    reason="needs mariadbd and Linux",
)
VOLATILE = {"gtid_binlog_state", "gtid_current_pos", "rand_seed1", "rand_seed2", "timestamp"}
LOOK_UP = socket.getaddrinfo


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateServer]:
    """A server with a temporary folder that no other run uses, and a path short enough for it."""
    with tempfile.TemporaryDirectory(prefix="ps-") as short, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", short)
        patch.setattr(tempfile, "tempdir", short)
        started = cast(PrivateServer, start_server("mariadb"))
        yield started
        started.stop()


def footprint(server: PrivateServer) -> dict[str, Any]:
    """Return everything that a test may leave, in this process and at the server."""
    rows = server._admin.run("SHOW GLOBAL VARIABLES")
    users = "SELECT COUNT(*) FROM information_schema.processlist WHERE USER LIKE 'ps\\_%'"
    return {
        "threads": {thread.name for thread in threading.enumerate()},
        "ports": ports_of(os.getpid(), files_of(os.getpid())),
        "directories": set(Path(tempfile.gettempdir()).glob("poolspec-*")),
        "databases and users": tenants_on(server._admin),
        "connections": server._admin.run(users),
        "settings": {name: value for name, value in rows if name not in VOLATILE},
        "look-ups": socket.getaddrinfo,
    }


def fail() -> None:
    raise AssertionError("in the middle")


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()


@pytest.mark.parametrize("fault", Fault)
def test_a_failed_and_an_interrupted_test_leave_nothing(
    server: PrivateServer, fault: Fault
) -> None:
    before = footprint(server)
    for end in (fail, interrupt):
        run = begin(server, fault)
        with pytest.raises((AssertionError, KeyboardInterrupt), match=r"^(in the middle)?$"):
            end()
        run.dispose()
        assert wait_until(lambda: footprint(server) == before, 5.0), footprint(server)


@contextmanager
def in_force(run: Run, server: str, *faults: Fault) -> Iterator[subprocess.Popen[bytes]]:
    """Let a process of a run that has ended set faults; kill it at the end of the block."""
    identity = f"{processes.machine()}_4194399_abcd_{run.temporary}"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.leftovers.every_fault", server, *faults],
        env={**os.environ, "TMPDIR": str(run.temporary), processes.RUN: identity},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        with process.stdout:
            assert process.stdout.readline().strip() == str(len(faults)).encode()
        yield process
    finally:
        process.kill()
        process.wait()


OTHERS = tuple(fault for fault in Fault if fault not in OF_SERVER)
GROUPS = {
    "others": OTHERS,
    "paused": (
        Fault.SERVER_READ_ONLY,
        Fault.PASSWORD_CHANGED,
        Fault.ACCOUNT_FULL,
        Fault.SERVER_PAUSED,
    ),
    "full": (Fault.SERVER_FULL,),
    "killed": (Fault.SERVER_KILLED,),
    "shut_down": (Fault.SERVER_SHUT_DOWN,),
}
"""The faults that can be in force at the same time."""


def test_every_fault_is_in_a_group() -> None:
    assert {fault for group in GROUPS.values() for fault in group} == set(Fault)


@pytest.mark.parametrize("group", GROUPS)
def test_a_process_that_is_killed_during_faults_leaves_no_process_and_no_port(
    run: Run, group: str
) -> None:
    with in_force(run, "mariadb", *GROUPS[group]):
        pass
    code, output = run.leftovers("", "--here", "--wait", "1", within=run.temporary)
    listed = [line.split()[0] for line in output.splitlines()[1:]]
    # The process was killed before it could remove its folders. The next run removes them.
    assert (code, set(listed)) in ((0, set()), (1, {"directory"}))
    assert run.leftovers("", "--here", "--remove", within=run.temporary)[0] == 0
    assert list(run.temporary.glob("poolspec-*")) == []


def test_what_a_process_killed_during_faults_left_on_a_server_is_found_and_dropped(
    run: Run, url: str, shared: PrivateServer
) -> None:
    faults = [fault for fault in OTHERS if fault is not Fault.IDLE_TIMED_OUT]
    with in_force(run, url, *faults):
        left = tenants_on(shared._admin)
        assert left != ()
    code, output = run.leftovers(url, "--wait", "0", "--remove")
    assert code == 0
    assert all(f"  database and user {name}" in output for name in left)
    assert tenants_on(shared._admin) == ()
