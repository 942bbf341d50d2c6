"""Runs pytest many times in forked children of one process, which imports everything once.

A run of pytest that executes one generated test spends most of its time on imports. The process
started here imports pytest, the lab and steadypool, then forks a child for every run. Each run has
its own process, plugins and server, so a pool that leaves threads or locks behind affects no other.

The parent writes one request per line to the process, which answers with one line per run.
"""

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
TIMEOUT = 120.0
"""Seconds after which a run is killed."""
IMPORTED = [
    "_pytest.junitxml",
    "opentelemetry.sdk.metrics",
    "poolspec.adapters.steady_asyncio",
    "poolspec.adapters.steady_metrics",
    "poolspec.lab",
    "poolspec.lab.aio.lab",
    "poolspec.plugin.applicability",
    "poolspec.plugin.collector",
    "poolspec.plugin.deadline",
    "poolspec.plugin.failure",
    "poolspec.plugin.forms",
    "poolspec.plugin.layers",
    "poolspec.servers",
    "pytest",
    "steadypool",
]
"""Modules that every run needs; a child inherits them."""

OPTIONS = ["-p", "no:xdist", "--assert=plain"]
"""Options of every run; its modules are imported already, so pytest cannot rewrite them."""


class ForkedRuns:
    """The parent's side: starts the process, and asks it for runs."""

    def __init__(self, *modules: str) -> None:
        paths = [str(ROOT), str(ROOT / "examples"), os.getenv("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forked_runs", *modules],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, folder: Path, *arguments: str, within: Path = ROOT, **environment: str
    ) -> tuple[int, str]:
        """Run pytest within a directory; return its exit code and output, kept in `folder`."""
        output = folder / "output.txt"
        request = {
            "arguments": arguments,
            "environment": environment,
            "output": str(output),
            "within": str(within),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return code, output.read_text(encoding="utf-8")

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=TIMEOUT)


def modules_of(tests: list[str], concurrency: str) -> list[str]:
    """Return the generated modules with the forms of these tests for threads or for asyncio."""
    stems = sorted({test.partition(".")[0] for test in tests})
    ending = "_asyncio" if concurrency == "asyncio" else ""
    return [f"generated_tests/test_{stem}{ending}.py" for stem in stems]


def serve() -> None:
    """The process's side: fork a child for every request, until the parent closes its pipe."""
    for name in [*IMPORTED, *sys.argv[1:]]:
        import_module(name)
    from poolspec.plugin.steps import step_lines

    _ask_for_the_server()
    step_lines(ROOT, "specs")  # every failure of a generated test asks for them
    gc.freeze()  # pytest collects garbage after every run; what is imported is none
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _run(json.loads(line))
        print(_ended(pid), file=answers, flush=True)


def _ask_for_the_server() -> None:
    """Find the server's version before any fork: a child inherits the answer."""
    from poolspec.servers import ServerError
    from poolspec.servers.mysqld import find_mysqld

    with contextlib.suppress(ServerError):
        program = find_mysqld()
        if program is not None:
            program.version()


def _run(request: dict[str, Any]) -> None:
    """In the child: run pytest as a process of its own would, and end."""
    code = 4
    try:
        os.setpgid(0, 0)
        os.environ.update(request["environment"])
        os.chdir(request["within"])
        sys.path[0] = request["within"]  # as `python -m pytest` has it
        null = os.open(os.devnull, os.O_RDONLY)
        output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for source, target in ((null, 0), (output, 1), (output, 2)):
            os.dup2(source, target)
        import pytest

        code = int(pytest.main([*OPTIONS, *request["arguments"]]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _ended(pid: int) -> int:
    """Wait for a child; kill its process group when it takes too long."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        time.sleep(0.005)


if __name__ == "__main__":
    serve()
