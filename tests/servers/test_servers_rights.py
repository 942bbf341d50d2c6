"""Accounts that lack rights: the error, the remedy, and a clean server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from urllib.parse import quote

import pytest

from poolspec.servers import PrivateServer, ServerError, describe_choice, start_server
from poolspec.servers.names import new_name
from poolspec.servers.rights import killing

pytestmark = pytest.mark.skipif(
    "private" not in describe_choice("auto"), reason="mariadbd is not installed"
)

README = Path(__file__).parents[2] / "README.md"
PASSWORD = "of-the-account"
DATABASES = "GRANT ALL ON `ps_%`.* TO {} WITH GRANT OPTION"
USERS = "GRANT CREATE USER ON *.* TO {}"
SEES = "GRANT PROCESS ON *.* TO {}"


@pytest.fixture(scope="module")
def shared() -> Iterator[PrivateServer]:
    server = cast(PrivateServer, start_server("mariadb"))
    yield server
    server.stop()


@pytest.fixture
def owner(shared: PrivateServer) -> Iterator[PrivateServer]:
    """A server that the run did not start; each test leaves it unchanged."""
    before = _accounts(shared)
    yield shared
    for account in _accounts(shared) - before:
        shared._admin.run(f"DROP USER {account}")


def _accounts(server: PrivateServer) -> set[str]:
    rows = server._admin.run("SELECT QUOTE(User), QUOTE(Host) FROM mysql.user WHERE User <> 'root'")
    return {f"{user}@{host}" for user, host in rows}


def account(owner: PrivateServer, *grants: str, name: str = "tester") -> str:
    """Make an account with these rights, and return the server's URL for it."""
    who = f"'{name.replace(chr(39), chr(39) * 2)}'@'%'"
    owner._admin.run(f"CREATE USER {who} IDENTIFIED BY '{PASSWORD}'")
    owner._admin.run("SELECT 1", *(grant.format(who) for grant in grants))
    return f"mysql://{quote(name)}:{PASSWORD}@localhost/?unix_socket={owner.address.unix_socket}"


def refusal(url: str) -> str:
    with pytest.raises(ServerError) as refused:
        start_server(url)
    assert PASSWORD not in str(refused.value)
    return str(refused.value)


def remedies(said: str) -> list[str]:
    """The statements of a message, which end with a semicolon."""
    return re.findall(r"^ +((?:GRANT|DROP) .*);$", said, re.MULTILINE)


def left_behind(owner: PrivateServer) -> set[str]:
    databases = owner._admin.run(r"SHOW DATABASES LIKE 'ps\_%'")
    return {who for who in _accounts(owner) if who.startswith("'ps_")} | {n for (n,) in databases}


@pytest.mark.parametrize(
    ("grants", "lacking"),
    [
        ((), "may not make a database"),
        ((USERS, SEES), "may not make a database"),
        ((DATABASES,), "may not make a user"),
        ((USERS, "GRANT ALL ON *.* TO {}"), "may not grant rights on its own database"),
        ((DATABASES, USERS), "cannot list the connections of other accounts"),
        ((DATABASES, USERS, SEES), "may not kill the connections of others"),
    ],
)
def test_a_missing_right_is_an_error_with_the_statements_that_grant_it(
    grants: tuple[str, ...], lacking: str, owner: PrivateServer
) -> None:
    url = account(owner, *grants)
    said = refusal(url)
    assert f"'tester'@'%' {lacking}" in said
    assert left_behind(owner) == set()
    assert len(remedies(said)) == 2
    owner._admin.run(*remedies(said))
    guest = start_server(url)
    assert left_behind(owner) == set()
    guest.drop_tenant(guest.create_tenant())
    guest.stop()


def test_the_rights_in_the_readme_are_sufficient(owner: PrivateServer) -> None:
    grants = remedies(README.read_text(encoding="utf-8"))
    assert len(grants) == 2
    url = account(owner, *(grant.replace("'tester'@'%'", "{}") for grant in grants))
    start_server(url).stop()


def test_an_account_with_a_quote_in_its_name_is_quoted(owner: PrivateServer) -> None:
    url = account(owner, name="o'neil")
    owner._admin.run(*remedies(refusal(url)))
    start_server(url).stop()


def test_an_anonymous_user_that_hides_test_users_is_named_with_the_remedy(
    owner: PrivateServer,
) -> None:
    url = account(owner, DATABASES, USERS, "GRANT ALL ON *.* TO {}")
    local = f"'tester'@'localhost' IDENTIFIED BY '{PASSWORD}'"
    owner._admin.run(
        "CREATE USER ''@'localhost'",
        f"CREATE USER {local}",
        "GRANT ALL ON *.* TO 'tester'@'localhost' WITH GRANT OPTION",
    )
    said = refusal(url)
    assert "anonymous user ''@'localhost'" in said
    assert left_behind(owner) == set()
    assert remedies(said) == ["DROP USER ''@'localhost'"]
    owner._admin.run(*remedies(said))
    start_server(url).stop()


def test_an_anonymous_user_that_hides_the_account_is_named(owner: PrivateServer) -> None:
    url = account(owner, "GRANT ALL ON *.* TO {} WITH GRANT OPTION")
    owner._admin.run("CREATE USER ''@'localhost'")
    said = refusal(url)
    assert "refused user 'tester'" in said
    assert remedies(said) == ["DROP USER ''@'localhost'"]
    owner._admin.run(*remedies(said))
    start_server(url).stop()


def test_an_anonymous_user_with_a_password_is_suggested_as_the_cause(owner: PrivateServer) -> None:
    url = account(owner, "GRANT ALL ON *.* TO {} WITH GRANT OPTION")
    owner._admin.run(
        "CREATE USER ''@'localhost' IDENTIFIED BY 'secret'",
        f"CREATE USER 'tester'@'localhost' IDENTIFIED BY '{PASSWORD}'",
        "GRANT ALL ON *.* TO 'tester'@'localhost' WITH GRANT OPTION",
    )
    assert "SELECT Host FROM mysql.user WHERE User = ''" in refusal(url)
    assert left_behind(owner) == set()


def test_the_next_run_drops_the_tenants_of_a_crashed_run(owner: PrivateServer) -> None:
    url = account(owner, "GRANT ALL ON *.* TO {} WITH GRANT OPTION")
    _, machine, _, run_mark, _ = new_name().split("_")
    gone = f"ps_{machine}_4194399_{run_mark}_1"  # beyond the largest process id
    owner._admin.run(f"CREATE DATABASE {gone}", f"CREATE USER {gone}@'%' IDENTIFIED BY 'x'")
    start_server(url).stop()
    assert not {gone, f"'{gone}'@'%'"} & left_behind(owner)


def test_pytest_reports_missing_rights_before_any_test_runs(
    owner: PrivateServer, tmp_path: Path
) -> None:
    (tmp_path / "test_any.py").write_text("def test_any() -> None:\n    pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--server", account(owner)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4
    assert "ERROR: --server: 'tester'@'%' may not make a database" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("version", "right"),
    [
        ("10.11.19-MariaDB-0+deb12u1", "CONNECTION ADMIN"),
        ("10.5.2-MariaDB", "CONNECTION ADMIN"),
        ("10.4.34-MariaDB", "SUPER"),
        ("8.0.40", "CONNECTION_ADMIN"),
        ("9.1.0-commercial", "CONNECTION_ADMIN"),
        ("5.7.44-log", "SUPER"),
    ],
)
def test_the_right_to_kill_has_the_name_of_the_server_version(version: str, right: str) -> None:
    assert killing(version) == right
