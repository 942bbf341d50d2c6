"""Checks the options of a run before the first test: server, ports, pool, results file."""

import os

import pytest

ANY_SERVER = "auto"
BUNDLED_POOL = "steadypool"


def check_options(config: pytest.Config) -> None:
    """Raise UsageError for a server, a pool or a results file that cannot be used."""
    results = config.getoption("--results")
    if results is not None and results.is_dir():
        raise pytest.UsageError(f"--results: {results} is a folder; name a file")
    choice = config.getoption("--server")
    if choice != ANY_SERVER:
        from poolspec.servers import ServerError, describe_choice, start_server

        try:
            describe_choice(choice)
            if "://" in choice:
                start_server(choice).stop()  # starts no process, but logs in
        except ServerError as error:
            raise pytest.UsageError(f"--server: {error}") from None
    if config.getoption("--pool") != BUNDLED_POOL:
        from poolspec.adapters import UnknownPoolError, find_pool

        try:
            find_pool(config.getoption("--pool"))
        except UnknownPoolError as error:
            raise pytest.UsageError(f"--pool: {error}") from None


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
