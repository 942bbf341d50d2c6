"""The options of a run, and their checks before the first test."""

import os
from pathlib import Path

import pytest

from poolspec.plugin.layers import chosen_layers
from poolspec.vocabulary import Level

ANY_SERVER = "auto"
BUNDLED_POOL = "steadypool"


def add_options(parser: pytest.Parser) -> None:
    """Add the options of poolspec."""
    group = parser.getgroup("poolspec", "connection pool specs")
    group.addoption(
        "--server",
        default=os.environ.get("POOLSPEC_SERVER", ANY_SERVER),
        help="database to test on: auto, embedded, mariadb, mysql, or mysql://user:password@host/ "
        "(default: $POOLSPEC_SERVER or auto)",
    )
    group.addoption(
        "--pool",
        default=os.environ.get("POOLSPEC_POOL", BUNDLED_POOL),
        help="pool to test: a bundled adapter's name, or package.module:ADAPTER "
        "(default: $POOLSPEC_POOL or steadypool)",
    )
    group.addoption(
        "--ports",
        default=None,
        metavar="FIRST-LAST",
        help="ports on 127.0.0.1 that servers and web applications of the tests may take "
        "(default: $POOLSPEC_PORTS or 20000-32767)",
    )
    group.addoption(
        "--fail-on",
        choices=[level.value for level in Level],
        default=None,
        help="least binding level of a failed test that fails the run (default: must, or may if "
        "the pool's adapter keeps all levels)",
    )
    group.addoption(
        "--layer",
        type=chosen_layers,
        action="extend",
        help="run generated tests of these layers only; can be repeated, or a list: unit,chaos",
    )
    group.addoption(
        "--control",
        action="store_true",
        help="run a fixed workload without a pool beside each performance test, as the measure of "
        "the machine's speed; poolspec run --save-baseline and --against use it",
    )
    group.addoption(
        "--twice",
        action="store_true",
        help="run each test on virtual time twice and compare the event logs",
    )
    group.addoption(
        "--results",
        type=Path,
        default=None,
        help="write the results to this file, as JSON",
    )


def check_options(config: pytest.Config) -> tuple[str, ...]:
    """Raise UsageError for a server, a pool or a results file that cannot be used.

    Returns the tenants of crashed runs that were dropped from a server named by a URL.
    """
    swept: tuple[str, ...] = ()
    _check_results(config.getoption("--results"))
    choice = config.getoption("--server")
    if choice != ANY_SERVER:
        from poolspec.servers import ServerError, describe_choice, start_server

        try:
            describe_choice(choice)
            if "://" in choice:
                server = start_server(choice)  # starts no process, but logs in
                swept = tuple(str(one) for one in server.swept)
                server.stop()
        except ServerError as error:
            raise pytest.UsageError(f"--server: {error}") from None
    if config.getoption("--pool") != BUNDLED_POOL:
        from poolspec.adapters import UnknownPoolError, find_pool

        try:
            find_pool(config.getoption("--pool"))
        except UnknownPoolError as error:
            raise pytest.UsageError(f"--pool: {error}") from None
    return swept


def _check_results(file: Path | None) -> None:
    """Raise UsageError if the results cannot be written; make their folder."""
    if file is None:
        return
    if file.is_dir():
        raise pytest.UsageError(f"--results: {file} is a folder; name a file")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = f"the folder {file.parent} cannot be made: {error.strerror}"
        raise pytest.UsageError(f"--results: {why}; name another file") from None
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise pytest.UsageError(f"--results: {file} cannot be written; name another file")


def choose_ports(config: pytest.Config) -> None:
    """Let this process and its children use the ports of `--ports`; raises UsageError."""
    chosen = config.getoption("--ports")
    if chosen is None and "POOLSPEC_PORTS" not in os.environ:
        return
    from poolspec.servers import ServerError, ports

    try:
        if chosen is not None:
            ports.parse_ports(chosen, ports.OPTION)
            os.environ[ports.ENVIRONMENT] = chosen
        ports.chosen_ports()
    except ServerError as error:
        raise pytest.UsageError(str(error)) from None
