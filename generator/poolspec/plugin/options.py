"""What was chosen on the command line: which server, which pool, where the results go."""

import pytest

ANY_SERVER = "auto"
BUNDLED_POOL = "steadypool"


def check_choices(config: pytest.Config) -> None:
    """Refuse a server or a pool that cannot be had before anything runs."""
    results = config.getoption("--results")
    if results is not None and results.is_dir():
        raise pytest.UsageError(f"--results: {results} is a folder; give a file's name")
    choice = config.getoption("--server")
    if choice != ANY_SERVER:
        from poolspec.servers import ServerError, describe_choice, start_server

        try:
            describe_choice(choice)
            if "://" in choice:
                start_server(choice).stop()  # nothing to start: is it there, and are we let in?
        except ServerError as error:
            raise pytest.UsageError(f"--server: {error}") from None
    if config.getoption("--pool") != BUNDLED_POOL:
        from poolspec.adapters import UnknownPoolError, find_adapter

        try:
            find_adapter(config.getoption("--pool"))
        except UnknownPoolError as error:
            raise pytest.UsageError(f"--pool: {error}") from None
