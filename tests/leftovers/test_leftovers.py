"""A run that ends in any way leaves nothing, or the next run finds, reports and removes it."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.leftovers.conftest import Run, wait_until

from poolspec import processes
from poolspec.folders import make_folder
from poolspec.leftovers import LeftProcess, left_processes
from poolspec.servers import PrivateServer, describe_choice, names
from poolspec.servers.tenants import tenants_on

HAS_MARIADB = "private" in describe_choice("auto")
ENDED = "4194399"
"""A process id beyond the largest one."""
NOTHING = "nothing is left\n"


@pytest.mark.skipif(not HAS_MARIADB, reason="mariadbd is not installed")
class TestServerNamedByUrl:
    def test_a_failing_test_leaves_no_database_and_no_user(
        self, run: Run, url: str, shared: PrivateServer
    ) -> None:
        run.start(url, then="raise AssertionError('wrong')")
        assert run.end() == 1
        assert tenants_on(shared._admin) == ()

    @pytest.mark.parametrize("options", [(), ("-n", "1")])
    def test_ctrl_c_leaves_no_database_and_no_user(
        self, run: Run, url: str, shared: PrivateServer, options: tuple[str, ...]
    ) -> None:
        run.start(url, *options)
        run.wait_for_test()
        run.send(signal.SIGINT)
        assert run.end() == 2
        assert wait_until(lambda: tenants_on(shared._admin) == ())

    def test_the_run_of_a_killed_worker_drops_what_the_worker_left_and_reports_it(
        self, run: Run, url: str, shared: PrivateServer
    ) -> None:
        run.start(url, "-n", "1", "--max-worker-restart", "0")
        os.kill(run.wait_for_test(), signal.SIGKILL)
        (name,) = tenants_on(shared._admin)
        run.end()
        assert tenants_on(shared._admin) == ()
        assert f"{name}, now removed" in run.output

    def test_the_run_after_a_killed_one_drops_what_that_left_and_reports_it(
        self, run: Run, url: str, shared: PrivateServer
    ) -> None:
        run.start(url)
        run.wait_for_test()
        run.send(signal.SIGKILL)
        run.end()
        (name,) = tenants_on(shared._admin)
        assert run.leftovers(url, "--wait", "0") == (
            1,
            f"left by runs that have ended:\n  database and user {name}\n",
        )
        run.start(url, then="pass")
        assert run.end() == 0
        assert f"{name}, now removed" in run.output
        assert tenants_on(shared._admin) == ()
        assert run.leftovers(url, "--wait", "0") == (0, NOTHING)

    def test_what_a_live_run_uses_is_not_left(
        self, run: Run, url: str, shared: PrivateServer
    ) -> None:
        run.start(url)
        run.wait_for_test()
        assert len(tenants_on(shared._admin)) == 1
        assert run.leftovers(url, "--wait", "0", "--remove") == (0, NOTHING)
        assert len(tenants_on(shared._admin)) == 1
        run.send(signal.SIGINT)
        run.end()

    def test_a_user_without_a_database_is_removed(
        self, run: Run, url: str, shared: PrivateServer
    ) -> None:
        name = f"ps_{processes.machine()}_{ENDED}_0000_1"
        shared._admin.run(f"CREATE USER '{name}'@'%' IDENTIFIED BY 'x'")
        code, output = run.leftovers(url, "--wait", "0", "--remove")
        assert (code, output.splitlines()[1:]) == (
            0,
            [f"  database and user {name}", "all of it was removed"],
        )
        assert tenants_on(shared._admin) == ()

    def test_a_database_of_another_machine_is_reported_and_never_removed(
        self, run: Run, url: str, shared: PrivateServer
    ) -> None:
        name = f"ps_00000000_{ENDED}_0000_1"
        shared._admin.run(f"CREATE DATABASE {name}")
        try:
            code, output = run.leftovers(url, "--wait", "0", "--remove")
            assert (code, output.splitlines()[1]) == (0, f"  database and user {name}")
            assert tenants_on(shared._admin) == (name,)
        finally:
            shared._admin.run(f"DROP DATABASE {name}")

    def test_a_server_that_cannot_be_reached_is_bad_input(self, run: Run) -> None:
        code, output = run.leftovers("mysql://u:hidden@127.0.0.1:1/", "--wait", "0")
        assert code == 2
        assert "cannot be reached" in output
        assert "hidden" not in output

    @pytest.mark.parametrize(("word", "code"), [("embedded", 0), ("mariab", 2)])
    def test_a_word_that_is_no_server_is_bad_input(self, run: Run, word: str, code: int) -> None:
        found, output = run.leftovers(word, "--wait", "0", "--here")
        assert found == code
        assert ("'mariab' is not a server" in output) is (code == 2)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="Linux only")
class TestPrivateServer:
    @pytest.mark.parametrize(
        ("number", "options"),
        [(signal.SIGKILL, ()), (signal.SIGKILL, ("-n", "1")), (signal.SIGINT, ("-n", "1"))],
    )
    def test_an_ended_run_leaves_no_process_and_no_directory(
        self, run: Run, number: signal.Signals, options: tuple[str, ...]
    ) -> None:
        run.start("auto", *options)
        run.wait_for_test()
        assert len(list(run.temporary.glob("poolspec-*"))) == 1
        assert run.process is not None
        identity = f"_{run.process.pid}_"
        run.send(number)
        run.end()
        assert wait_until(lambda: not [one for one in left_processes() if identity in one.run])
        assert list(run.temporary.glob("poolspec-*")) == []  # xdist has a folder there too


LISTENER = """
import fcntl, os, socket, sys
folder = os.open(sys.argv[1] + "/lock", os.O_RDWR)
fcntl.flock(folder, fcntl.LOCK_EX)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def abandoned(run: Run) -> Iterator[tuple[LeftProcess, Path]]:
    """A process of an ended run, which listens on a port and has locked a directory."""
    folder = make_folder(run.temporary)
    fcntl.flock(folder.lock_fd, fcntl.LOCK_UN)
    os.close(folder.lock_fd)
    identity = f"{processes.machine()}_{ENDED}_abcd_{run.temporary}"
    with subprocess.Popen(
        [sys.executable, "-c", LISTENER, str(folder.path)],
        env={**os.environ, processes.RUN: identity},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        port = int(process.stdout.readline())
        start = processes.mark(process.pid)
        with closing(process.stdin):
            yield LeftProcess(process.pid, start, identity, "", (port,)), folder.path


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="Linux only")
class TestProcesses:
    def test_a_process_of_an_ended_run_is_listed_with_its_port_and_its_directory(
        self, run: Run, abandoned: tuple[LeftProcess, Path]
    ) -> None:
        process, folder = abandoned
        code, output = run.leftovers("", "--wait", "0")
        assert code == 1
        assert f"  process {process.pid}: {sys.executable} -c" in output
        assert f"  port {process.ports[0]}, of process {process.pid}\n" in output
        assert f"  directory {folder}, of process {process.pid}\n" in output
        assert process.is_running

    def test_remove_kills_the_process_and_then_removes_its_directory(
        self, run: Run, abandoned: tuple[LeftProcess, Path]
    ) -> None:
        process, folder = abandoned
        code, output = run.leftovers("", "--wait", "0", "--remove")
        assert (code, output.splitlines()[-1]) == (0, "all of it was removed")
        assert not process.is_running
        assert not folder.exists()

    @pytest.mark.usefixtures("abandoned")
    def test_here_leaves_out_what_runs_of_other_directories_left(self, run: Run) -> None:
        assert run.leftovers("", "--wait", "0", "--here", within=run.temporary)[0] == 1
        assert run.leftovers("", "--wait", "0", "--here", within=Path.home()) == (0, NOTHING)

    def test_the_processes_of_a_live_run_are_not_left(self) -> None:
        command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
        environment = {**os.environ, processes.RUN: processes.run_identity()}
        with subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert process.pid not in {one.pid for one in left_processes()}


class TestIdentities:
    def test_a_process_id_that_is_used_again_is_another_process(self) -> None:
        pid = os.getpid()
        other = f"{int(processes.mark(pid), 16) ^ 1:04x}"
        assert processes.runs(pid, processes.mark(pid))
        assert not processes.runs(pid, other)
        assert names.is_orphan(f"ps_{processes.machine()}_{pid}_{other}_1")
        assert not names.is_orphan(names.new_name())

    def test_a_process_that_nothing_has_reaped_has_ended(self) -> None:
        with subprocess.Popen([sys.executable, "-S", "-c", ""]) as process:
            assert wait_until(lambda: not processes.runs(process.pid))
            assert process.returncode is None

    def test_a_run_of_another_machine_is_not_judged(self) -> None:
        assert not processes.has_ended(f"00000000_{ENDED}_0000_/")
        assert processes.has_ended(f"{processes.machine()}_{ENDED}_0000_/")


def test_a_folder_counts_as_left_when_its_lock_is_free(run: Run) -> None:
    folder = make_folder(run.temporary)
    assert run.leftovers("", "--wait", "0") == (0, NOTHING)
    os.close(folder.lock_fd)
    expected = f"left by runs that have ended:\n  directory {folder.path}\n"
    assert run.leftovers("", "--wait", "0") == (1, expected)
    code, _ = run.leftovers("", "--remove", "--wait", "0")
    assert (code, folder.path.exists()) == (0, False)
