"""A server that no run has started, and runs of pytest that are ended in the middle of a test."""

import fcntl
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

from poolspec.servers import PrivateServer, start_server

TEST = """\
import os
import pathlib
import signal

import pytest

from poolspec.lab import Lab


class TestMine:
    @pytest.mark.spec("mine.it", covers=[], layer="integration", time="real")
    def test_it(self, lab: Lab) -> None:
        pool = lab.pool(size=2, max_overflow=0, timeout=5.0)
        pool.acquire()
        {then}
"""
USUAL, TEMPORARY = os.environ.get("TMPDIR"), tempfile.gettempdir()
READY = 'pathlib.Path("ready").write_text(str(os.getpid())); signal.pause()'
"""Reports the process of the test, then waits for its end."""


def wait_until(holds: Callable[[], bool], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.005)
    return holds()


class Run:
    """A run of pytest on one test, in its own folder and with its own temporary folder."""

    def __init__(self, folder: Path, temporary: Path) -> None:
        self.folder = folder
        self.temporary = temporary
        self._environment = {**os.environ, "TMPDIR": str(temporary)}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, server: str, *options: str, then: str = READY) -> None:
        """Start pytest."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "ready").unlink(missing_ok=True)
        (self.folder / "test_mine.py").write_text(TEST.format(then=then))
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--server", server]
        with (self.folder / "output.txt").open("wb") as output:
            self.process = subprocess.Popen(
                [*command, *options, "test_mine.py"],
                cwd=self.folder,
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for_test(self) -> int:
        """Wait until the test is in its middle, and return the process it runs in."""
        ready = self.folder / "ready"
        assert wait_until(lambda: ready.exists() and ready.read_text() != ""), self.output
        return int(ready.read_text())

    def send(self, number: int) -> None:
        """Send a signal to pytest and its workers, as the terminal does."""
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def end(self) -> int:
        """Wait until pytest has ended, and return its exit code."""
        assert self.process is not None
        return self.process.wait(30)

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    def leftovers(
        self, server: str = "", *options: str, within: Path | None = None
    ) -> tuple[int, str]:
        """Run `poolspec leftovers`; return its exit code and its output."""
        done = subprocess.run(
            [sys.executable, "-m", "poolspec.leftovers", "--server", server, *options],
            cwd=within,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run one of these tests at a time: each looks for what the ended runs of others left."""
    shared_by_workers = tmp_path_factory.getbasetemp().parent / "leftovers.lock"
    with shared_by_workers.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with tempfile.TemporaryDirectory(prefix="ps-") as short:  # a socket's path is in it
        made = Run(tmp_path / "run", Path(short))
        yield made
        if made.process is not None and made.process.poll() is None:
            os.killpg(made.process.pid, signal.SIGKILL)
            made.process.wait()


@pytest.fixture(scope="session")
def shared() -> Iterator[PrivateServer]:
    with pytest.MonkeyPatch.context() as patch:
        # The temporary folder of the module that asks first would end with that module.
        patch.setattr(tempfile, "tempdir", TEMPORARY)
        if USUAL is None:
            patch.delenv("TMPDIR", raising=False)
        else:
            patch.setenv("TMPDIR", USUAL)
        server = cast(PrivateServer, start_server("auto"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def url(shared: PrivateServer) -> str:
    """The URL of a server that the runs have not started."""
    shared._admin.run("CREATE USER 'tester'@'%' IDENTIFIED BY 'secret'")
    shared._admin.run("GRANT ALL ON *.* TO 'tester'@'%' WITH GRANT OPTION")
    return f"mysql://tester:secret@127.0.0.1:{shared.address.port}/"
