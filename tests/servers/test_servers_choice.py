"""The choice of a server, and the errors when it is not available."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from urllib.parse import quote

import pytest

from poolspec.servers import PrivateServer, ServerError, ServerKind, describe_choice, start_server
from poolspec.servers import private as private_module
from poolspec.servers.ports import free_port
from poolspec.vocabulary import Capability

HAS_MARIADB = "private" in describe_choice("auto")
needs_mariadb = pytest.mark.skipif(not HAS_MARIADB, reason="mariadbd is not installed")


@pytest.fixture
def no_binary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLSPEC_MARIADBD", "")


@pytest.fixture
def owner() -> Iterator[PrivateServer]:
    """A server that the run did not start."""
    server = cast(PrivateServer, start_server("mariadb" if HAS_MARIADB else "embedded"))
    yield server
    server.stop()


def url_of(server: PrivateServer) -> str:
    # Root can sign in over the unix socket only.
    user, password = server._program.account(server.directory)
    secret = f":{quote(password)}" if password else ""
    return f"mysql://{user}{secret}@localhost/?unix_socket={server.address.unix_socket}"


@pytest.mark.usefixtures("no_binary")
def test_without_a_binary_auto_is_the_embedded_server_and_says_how_to_get_a_real_one() -> None:
    said = describe_choice("auto")
    assert said == (
        "mariadbd not found: using the embedded server; "
        "install MariaDB (Debian: apt-get install mariadb-server) for the real one"
    )
    server = start_server("auto")
    assert server.kind is ServerKind.EMBEDDED
    assert server.capabilities == {
        *(Capability.KILL, Capability.LINE, Capability.PROTOCOL, Capability.SERVER_CONTROL)
    }
    assert server.description.startswith("embedded server (MySQL protocol over SQLite 3.")
    server.stop()


@needs_mariadb
def test_with_a_binary_auto_is_a_private_instance() -> None:
    assert describe_choice("auto").startswith("a private MariaDB instance (/")
    server = start_server("auto")
    assert server.kind is ServerKind.MARIADB
    assert {Capability.ROW_LOCKS, Capability.ISOLATION_LEVELS} <= server.capabilities
    assert server.description.startswith("MariaDB 1")
    assert server.description.endswith(", private instance")
    server.stop()


@pytest.mark.usefixtures("no_binary")
@pytest.mark.parametrize("choice", ["mariadb", "mysql"])
def test_a_server_that_is_not_installed_is_an_error_with_a_remedy(choice: str) -> None:
    for act in (start_server, describe_choice):
        with pytest.raises(ServerError, match="was not found: install"):
            act(choice)


def test_a_named_binary_that_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLSPEC_MARIADBD", "/nowhere/mariadbd")
    with pytest.raises(ServerError, match="POOLSPEC_MARIADBD names '/nowhere/mariadbd'"):
        start_server("auto")


def test_an_unknown_choice_lists_the_valid_ones() -> None:
    with pytest.raises(ServerError, match="auto, embedded, mariadb, mysql, or a URL"):
        start_server("oracle")


def test_a_server_named_by_a_url_serves_tenants_and_keeps_running(owner: PrivateServer) -> None:
    guest = start_server(url_of(owner))
    assert guest.kind is ServerKind.URL
    assert "given by URL" in guest.description
    tenant = guest.create_tenant()
    assert owner.connection_ids(tenant) == frozenset()
    guest.drop_tenant(tenant)
    guest.drop_tenant(tenant)
    guest.stop()
    guest.stop()
    owner.drop_tenant(owner.create_tenant())


@pytest.mark.parametrize(
    "url",
    [
        "postgres://root:hidden@localhost/",
        "mysql://:hidden@localhost/",
        "mysql://root:hidden@localhost:99999/",
        "mysql://root:hidden@localhost/database",
        "mysql://root:hidden@localhost/?tls=1",
    ],
)
def test_an_invalid_url_is_an_error_without_its_password(url: str) -> None:
    with pytest.raises(ServerError, match="expected mysql://user:password@") as wrong:
        start_server(url)
    assert "hidden" not in str(wrong.value)


def test_a_url_of_a_closed_port_is_an_error_without_its_password() -> None:
    port = free_port()
    with pytest.raises(ServerError, match=f"127.0.0.1:{port} cannot be reached") as wrong:
        start_server(f"mysql://root:hidden@127.0.0.1:{port}/")
    assert "hidden" not in str(wrong.value)


def test_a_wrong_password_in_a_url_is_an_error_without_it(owner: PrivateServer) -> None:
    socket_path = owner.address.unix_socket
    with pytest.raises(ServerError, match="refused user 'root'") as wrong:
        start_server(f"mysql://root:hidden@localhost/?unix_socket={socket_path}")
    assert "hidden" not in str(wrong.value)


def test_a_description_of_a_url_shows_no_password() -> None:
    said = describe_choice("mysql://root:hidden@db.example:3307/")
    assert said == "the server at db.example:3307, as user 'root'"


def test_a_port_taken_by_another_process_is_replaced_by_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        offers = iter([taken.getsockname()[1], free_port()])
        monkeypatch.setattr(private_module, "free_port", lambda: next(offers))
        server = start_server("embedded")
        assert server.address.port != taken.getsockname()[1]
        server.stop()


@needs_mariadb
def test_two_processes_make_the_template_at_once(tmp_path: Path) -> None:
    code = (
        "from poolspec.servers import start_server; server = start_server('mariadb'); "
        "print(server.version); server.stop()"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    pair = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[0] for process in pair]
    assert [process.returncode for process in pair] == [0, 0]
    assert said[0] == said[1]
    names = sorted(path.name for path in (tmp_path / "poolspec").iterdir())
    assert [name.split("-")[0] for name in names] == ["data", "lock"]


@needs_mariadb
def test_a_cache_that_cannot_be_made_is_an_error_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ServerError, match="set XDG_CACHE_HOME to another directory"):
        start_server("mariadb")


def test_importing_the_package_loads_no_driver_and_no_engine() -> None:
    code = (
        "import sys, poolspec.servers; "
        "print([m for m in ('pymysql', 'sqlglot', 'mysql_mimic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
