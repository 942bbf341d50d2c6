"""Keeps the database server of a process usable; if it cannot be used, the run stops.

The server starts after collection. If that fails, no test runs, and the reason is reported once.

A private server may end although no test has caused it: the system runs out of memory, or a user
kills it. Then a new one is started, and the test that failed meanwhile is run again, once. The run
stops if the server ends again, if none can be started, if a server that the run did not start has
ended, or if a test finds no free port. Test failures that result from this are not reported.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pytest
from _pytest.runner import runtestprotocol

from poolspec.lifecycle.stopping import Stopping
from poolspec.vocabulary import Connections

if TYPE_CHECKING:
    from poolspec.servers import Server, ServerError

WITHOUT_SERVER = (Connections.SCRIPTED, Connections.MINIMAL)
"""Connections that need no server."""
FIRST, SECOND = "first", "second"
"""The names of the servers."""
STOPPED = os.EX_UNAVAILABLE
"""Exit code of pytest if the environment cannot run the tests."""
OUTPUT = "poolspec_stopped"
"""The key of the reason in the output that a worker sends at its end."""
STOP = "the environment cannot run the tests"
RUN_AGAIN = "poolspec_run_again"
"""The property of a report: why its test was run a second time."""
_AGAIN = (
    "It was started again, its test was run again, and it ended again. Look for what ends it, such "
    "as the memory limit of this machine or container, or choose another server with --server."
)
stop_key = pytest.StashKey[str]()
port_key = pytest.StashKey["ServerError"]()
stopping_key = pytest.StashKey[Stopping]()
keeper_key = pytest.StashKey["ServerKeeper"]()


class ServerKeeper:
    """The database servers of one process: the first for all tests, more for tests with two."""

    def __init__(self, choice: str) -> None:
        self._choice = choice
        self._servers: dict[str, Server] = {}
        self._lost: ServerError | None = None

    def server(self, name: str) -> Server:
        """Return the server with a name; start it at the first call. Raises ServerError."""
        if name not in self._servers:
            from poolspec.servers import start_server

            self._servers[name] = start_server(self._choice)
        return self._servers[name]

    def stop(self, name: str) -> None:
        """Stop a server, if it was started; note whether it has ended before. Idempotent."""
        if server := self._servers.pop(name, None):
            self._lost = self._lost or _checked(server)
            server.stop()

    def stop_all(self) -> None:
        """Stop all servers that were started. Idempotent."""
        for name in list(self._servers):
            self.stop(name)

    def lost(self) -> ServerError | None:
        """Return why tests cannot use the servers, or None if they can."""
        lost, self._lost = self._lost, None
        return lost or next(filter(None, map(_checked, self._servers.values())), None)

    def revive(self) -> None:
        """Start again the private servers that have ended. Raises ServerError."""
        from poolspec.servers import PrivateServer, ServerEndedError

        for server in self._servers.values():
            if isinstance(server, PrivateServer) and isinstance(_checked(server), ServerEndedError):
                server.revive()


def _checked(server: Server) -> ServerError | None:
    from poolspec.servers import ServerError

    try:
        server.check()
    except ServerError as error:
        return error
    return None


def keeper(config: pytest.Config) -> ServerKeeper:
    """Return the keeper of this process's server."""
    if keeper_key not in config.stash:
        config.stash[keeper_key] = ServerKeeper(config.getoption("--server"))
    return config.stash[keeper_key]


def stopping(config: pytest.Config) -> Stopping:
    """Return what handles the signals of this process."""
    if stopping_key not in config.stash:
        config.stash[stopping_key] = Stopping()
    return config.stash[stopping_key]


@pytest.fixture(scope="session")
def pool_server(pytestconfig: pytest.Config) -> Iterator[Server]:
    """The database server of this process."""
    servers = keeper(pytestconfig)
    yield servers.server(FIRST)
    servers.stop(FIRST)


@pytest.fixture(scope="session")
def second_server(pytestconfig: pytest.Config, pool_server: Server) -> Iterator[Server]:
    """One more private server of this process, for the tests that need two."""
    servers = keeper(pytestconfig)
    yield servers.server(SECOND)
    servers.stop(SECOND)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the server of the tests that have been collected; if that fails, run none."""
    if any(item.get_closest_marker("spec") for item in session.items):
        stopping(session.config).install()
    if session.config.option.collectonly or not any(map(_needs_server, session.items)):
        return
    from poolspec.servers import ServerError

    try:
        keeper(session.config).server(FIRST)
    except ServerError as error:
        stop(session, f"No server to test on: {error}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a generated test; run it again if its server ended. Run none in a broken environment."""
    if stopping(item.config).begun:  # the test before this one has caught the interrupt
        item.session.shouldstop = "interrupted"
    elif stop_key not in item.config.stash:
        if not _needs_server(item):
            return None
        _run(item, nextitem)
    return True


def pytest_exception_interact(node: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Note that a test has failed because the run has no free port."""
    from poolspec.servers import PortTakenError

    if call.excinfo and isinstance(call.excinfo.value, PortTakenError):
        node.stash[port_key] = call.excinfo.value


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the controller why a worker has stopped."""
    if stop_key in session.config.stash and hasattr(session.config, "workeroutput"):
        session.config.workeroutput[OUTPUT] = session.config.stash[stop_key]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers that no test has asked for."""
    keeper(config).stop_all()


def stop(session: pytest.Session, reason: str) -> None:
    """Stop the session: no further test runs in it."""
    session.config.stash[stop_key] = reason
    session.shouldstop = STOP


def _needs_server(item: pytest.Item) -> bool:
    spec = item.get_closest_marker("spec")
    return spec is not None and spec.kwargs.get("connections") not in WITHOUT_SERVER


def _run(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Run a test, and run it again if its server ended meanwhile. Report the last run of it."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in _reports(item, nextitem):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def _reports(item: pytest.Item, nextitem: pytest.Item | None) -> list[pytest.TestReport]:
    """Return the reports of a test; none if the run stops."""
    from poolspec.servers import ServerEndedError, ServerError

    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    lost = _lost(item, reports)
    if not isinstance(lost, ServerEndedError):
        return reports if lost is None else _none(item, f"{lost}")
    try:
        keeper(item.config).revive()
    except ServerError as error:
        return _none(item, f"{lost.what} It cannot be started again: {error}")
    item.user_properties.append((RUN_AGAIN, json.dumps(lost.what)))
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    again = _lost(item, reports)
    return reports if again is None else _none(item, f"{lost.what} {_AGAIN} {again}")


def _lost(item: pytest.Item, reports: Iterable[pytest.TestReport]) -> ServerError | None:
    """Return what the environment lacks, if that may be the reason that the test did not pass."""
    if not any(report.failed or hasattr(report, "wasxfail") for report in reports):
        return None
    return item.stash.get(port_key, None) or keeper(item.config).lost()


def _none(item: pytest.Item, reason: str) -> list[pytest.TestReport]:
    stop(item.session, f"{reason}\nThe test that ran: {item.nodeid}")
    return []
