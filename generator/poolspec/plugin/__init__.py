"""The pytest plugin: gives each generated test its lab, and reports the outcome.

The plugin is installed with poolspec and therefore loaded in every pytest run of the environment.
It imports nothing heavy until a test asks for a lab.
"""

from __future__ import annotations

import inspect
import os
import random
from collections.abc import Generator, Iterator
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from poolspec.lifecycle.frames import no_collection
from poolspec.plugin import recovery
from poolspec.plugin.layers import Layers, measured
from poolspec.plugin.options import BUNDLED_POOL, add_options, check_options, choose_ports
from poolspec.plugin.process_exit import leave_threads, note_status, threads_before
from poolspec.plugin.properties import as_property, describe, identity
from poolspec.plugin.recovery import WITHOUT_SERVER
from poolspec.processes import RUN, run_identity
from poolspec.vocabulary import Capability, Connections, Layer, Level, TimeKind

if TYPE_CHECKING:
    from poolspec.adapters import PoolUnderTest
    from poolspec.faults.front import ServerFront
    from poolspec.faults.network import Line
    from poolspec.invariants.log import Entry
    from poolspec.lab import Lab
    from poolspec.lab.aio.lab import AsyncLab
    from poolspec.plugin.forms import AsyncioRun, ThreadsRun
    from poolspec.servers import Server

DEADLINE = 20.0
"""Seconds of real time for a test that sets no deadline."""

run_key = pytest.StashKey["AsyncioRun | ThreadsRun"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of poolspec."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers; register the collector of results in the controlling process."""
    config.addinivalue_line("markers", "spec(id, line, ...): the spec a generated test comes from")
    for layer in Layer:
        config.addinivalue_line("markers", f"{layer}: a test of the {layer} layer")
    config.addinivalue_line("markers", f"{Level.SHOULD}: a test of a recommendation")
    config.addinivalue_line("markers", f"{Level.MAY}: a test of a choice")
    choose_ports(config)
    config.pluginmanager.register(Layers(config), "poolspec-layers")
    config.pluginmanager.register(recovery, "poolspec-recovery")
    if config.getoption("--twice"):
        from poolspec.determinism.twice import Twice

        config.pluginmanager.register(Twice(_entries), "poolspec-twice")
    if not hasattr(config, "workerinput"):
        from poolspec.plugin.collector import Collector

        os.environ[RUN] = run_identity()  # workers and all other processes of the run inherit it
        swept = check_options(config)
        config.pluginmanager.register(Collector(config, swept), "poolspec-collector")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark each test with its layer and its level, for `-m chaos` and `-m 'not may'`."""
    spec = _spec(item)
    if spec and not item.config.getoption("--pool").startswith(BUNDLED_POOL):
        # The lab counts sockets. A driver's finalizers are not at issue.
        item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))
        finalizers = "ignore::pytest.PytestUnraisableExceptionWarning"
        item.add_marker(pytest.mark.filterwarnings(finalizers))
    if layer := spec.get("layer"):
        item.add_marker(layer)
    if level := spec.get("level"):
        item.add_marker(level)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a step or web application that is not registered into an error of collection."""
    report = yield
    if isinstance(collector, pytest.Class) and report.passed:
        from poolspec.plugin.registrations import missing_registrations

        pool = collector.config.getoption("--pool")
        errors = missing_registrations(collector, report.result or (), pool)
        if errors:
            report.outcome, report.result, report.longrepr = "failed", [], "\n".join(errors)
    return report


@pytest.fixture(scope="session")
def pool_under_test(pytestconfig: pytest.Config) -> PoolUnderTest:
    """The pool under test, with the adapters of its forms."""
    from poolspec.adapters import find_pool

    return find_pool(pytestconfig.getoption("--pool"))


@pytest.fixture
def lab(request: pytest.FixtureRequest, pool_under_test: PoolUnderTest) -> Iterator[Lab | AsyncLab]:
    """The lab of one test. Teardown undoes everything that the test did with it."""
    from poolspec.lifecycle.log_frames import without_frames
    from poolspec.plugin.applicability import skip_unless_able
    from poolspec.plugin.forms import AsyncioRun, ThreadsRun
    from poolspec.plugin.levels import held_key, held_to
    from poolspec.vocabulary.outcomes import NO_FORM, NOT_APPLICABLE

    threads_before(request.config)
    spec = _spec(request.node)
    time = TimeKind(spec.get("time", TimeKind.VIRTUAL))
    connections = Connections(spec.get("connections", Connections.DRIVER))
    pool = pool_under_test
    tasks = inspect.iscoroutinefunction(request.function)
    adapter = pool.asyncio if tasks else pool.threads
    if adapter is None:
        pytest.skip(f"{NOT_APPLICABLE}{NO_FORM}{'asyncio' if tasks else 'threads'} form")
    server, able = _server_for(request, connections)
    skip_unless_able(spec, adapter.capabilities | able)
    if spec.get("servers") == 2:
        server = _with_second(request, server)
    line, front = _line_for(spec, server)
    if time is TimeKind.VIRTUAL:
        random.seed(spec["id"])  # a pool's random choices are the same in every run
    made: Any = AsyncioRun if tasks else ThreadsRun
    run: AsyncioRun | ThreadsRun = made(server, adapter, time, connections)
    if line is not None:
        run.lab.context.lay(line, front)
    request.node.stash[run_key] = run
    request.node.stash[held_key] = held_to(request.config, spec, keeps_all=pool.keeps_all)
    with without_frames():
        yield run.lab
        run.dispose()


def _server_for(
    request: pytest.FixtureRequest, connections: Connections
) -> tuple[Server | None, frozenset[Capability]]:
    """Return the server of a test and its capabilities; scripted connections need no server."""
    if connections in WITHOUT_SERVER:
        return None, frozenset({Capability.KILL})
    server: Server = request.getfixturevalue("pool_server")
    request.node.user_properties.append(as_property("server", describe(server)))
    request.node.user_properties.append(as_property("swept", [str(one) for one in server.swept]))
    server.swept = ()  # the first test of a server reports it
    return server, server.capabilities


def _with_second(request: pytest.FixtureRequest, server: Server | None) -> Server:
    """Return both private servers as one; the second is started for the first test that asks."""
    from poolspec.servers import PrivateServer, ServerPair

    second = request.getfixturevalue("second_server")
    assert isinstance(server, PrivateServer), "needs: server_control"
    assert isinstance(second, PrivateServer), "needs: server_control"
    return ServerPair(server, second)


def _line_for(
    spec: dict[str, Any], server: Server | None
) -> tuple[Line | None, ServerFront | None]:
    """Return a line if the test breaks one, and a front if it makes the server slow.

    Their threads are older than the lab, which looks for threads that the test leaves.
    """
    needs = {Capability.LINE, Capability.PROTOCOL}.intersection(spec.get("needs", ()))
    if server is None or not needs:
        return None, None
    from poolspec.faults.front import ServerFront
    from poolspec.faults.network import Line

    front = ServerFront(server.address) if Capability.PROTOCOL in needs else None
    return Line(server.address if front is None else front.address), front


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object | None:
    """Run a test that has a lab, with its deadline and the invariant checks."""
    run = pyfuncitem.stash.get(run_key, None)
    if run is None:
        return None
    from poolspec.plugin.deadline import run_until

    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    test = partial(run.call, partial(pyfuncitem.obj, **arguments))
    with measured(pyfuncitem, run.server, run.adapter):
        run_until(_spec(pyfuncitem).get("deadline", DEADLINE), test, run.lab)
    return True


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Count the tests of recommendations and of choices apart from failures."""
    from poolspec.plugin.levels import status_of

    return status_of(report)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Keep the exit status for `process_exit`."""
    note_status(session.config, exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End the process if threads of a broken pool would keep it alive forever."""
    leave_threads(config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the test's identity; to a failure also the step of the spec, the events and the state."""
    run = item.stash.get(run_key, None)
    if run is not None and call.when == "call" and call.excinfo:
        from poolspec.plugin.failure import leave_out_library

        leave_out_library(call.excinfo.tb)
    with no_collection():
        report = yield
    spec = _spec(item)
    if spec:
        report.user_properties.append(as_property("test", identity(item, spec)))
    if run is not None and report.when == "call":
        from poolspec.plugin.timelines import keep_timeline

        report.user_properties.append(as_property("grade", asdict(run.lab.grade())))
        report.user_properties.append(as_property("loads", run.lab.load_figures()))
        keep_timeline(report, run.lab, spec.get("layer"))
    if run is not None and report.when == "call" and report.failed and call.excinfo:
        _explain(item, call.excinfo.value, run, report)
    return report


def _explain(
    item: pytest.Item,
    error: BaseException,
    run: AsyncioRun | ThreadsRun,
    report: pytest.TestReport,
) -> None:
    """Add the sections of a failure to its report, and take out what is of no use there."""
    from poolspec.invariants.defects import findings_of
    from poolspec.plugin import failure
    from poolspec.plugin.levels import soften

    findings = findings_of(error) or run.examine(error)
    report.user_properties.append(as_property("findings", [str(one) for one in findings]))
    at_the_end = failure.is_of_the_end(item.path, error)
    soften(item, error, findings, report, at_the_end=at_the_end)
    if at_the_end:
        path, line, _ = item.location
        report.longrepr = failure.without_traceback(f"{path}:{(line or 0) + 1}", error)
    else:
        failure.lead_with(findings, error, report)
    root, test = item.config.rootpath, _spec(item)["id"]
    report.sections.extend(failure.explain(root, item.path, test, error, run.lab, findings))


def _entries(item: pytest.Item) -> list[Entry] | None:
    """Return the event log of the test that an item has just run."""
    run = item.stash.get(run_key, None)
    return None if run is None else run.lab.context.log.entries()


def _spec(item: pytest.Item) -> dict[str, Any]:
    marker = item.get_closest_marker("spec")
    return {} if marker is None else {"id": marker.args[0], **marker.kwargs}
