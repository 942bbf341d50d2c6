"""docs/production.md is correct: its program runs, and it describes every error and option."""

import inspect
import os
import re
import subprocess
import sys
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

import pymysql
import pytest

import steadypool
from poolspec.servers import Tenant
from steadypool import AsyncConnectionPool, Config, ConnectionPool, ConnectionPoolError, Reset
from steadypool._drivers.configuration import load

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
OPTION = re.compile(r"^\| `(\w+)` \| (`[^`]*`|random numbers) \|", re.MULTILINE)
"""A row of the guide's table of options: name and default."""


def test_the_guides_program_runs(database_url: str) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)],
        env=os.environ | {"DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stderr, done.stdout) == ("", "healthy ()\n0\n")


@pytest.mark.parametrize("name", steadypool.__all__)
def test_the_guide_describes_every_error(name: str) -> None:
    item = getattr(steadypool, name)
    if isinstance(item, type) and issubclass(item, ConnectionPoolError):
        assert f"`{name}`" in GUIDE


@pytest.mark.parametrize("pool", [ConnectionPool, AsyncConnectionPool])
def test_the_guides_table_of_options_has_every_option_with_its_default(pool: type) -> None:
    (table,) = re.findall(r"^## Options\n(.*?)^## ", GUIDE, re.DOTALL | re.MULTILINE)
    options = inspect.signature(pool).parameters.items()
    defaults = {name: f"`{shown(option.default)}`" for name, option in options}
    assert dict(OPTION.findall(table)) == defaults | {"random": "random numbers"}


def shown(default: object) -> str:
    return (
        str(default)
        if not isinstance(default, Enum)
        else f"{type(default).__name__}.{default.name}"
    )


def test_the_guide_describes_every_option_of_the_configuration() -> None:
    assert {item.name for item in fields(Config) if f"`{item.name}`" not in GUIDE} == set()


def test_the_guides_configuration_file_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    path = tmp_path / "config.yaml"
    path.write_text(text)
    for name in ("DB_PASSWORD", "REPORTS_PASSWORD"):
        monkeypatch.setenv(name, "hush: #1")
    primary, reports = (load(path, name) for name in ("primary", "reports"))
    assert (primary.host, primary.password) == ("db1", "hush: #1")
    assert (reports.host, reports.query_timeout) == ("db2", 600)


LEFT = {
    # first, because reading a table begins a transaction
    "transaction": ("START TRANSACTION", "SELECT @@in_transaction"),
    "user variable": ("SET @left = 1", "SELECT @left = 1"),
    "session variable": ("SET SESSION wait_timeout = 7", "SELECT @@wait_timeout = 7"),
    "database": ("USE information_schema", "SELECT DATABASE() = 'information_schema'"),
    "temporary table": (
        "CREATE TEMPORARY TABLE {db}.left_over (i INT)",
        "SELECT 1 FROM DUAL WHERE EXISTS (SELECT COUNT(*) FROM {db}.left_over)",
    ),
    "named lock": ("SELECT GET_LOCK('{db}', 0)", "SELECT IS_USED_LOCK('{db}') = CONNECTION_ID()"),
    "prepared statement": ("PREPARE one FROM 'SELECT 1'", "EXECUTE one"),
}
"""For each kind of session state, a statement that leaves it and a query that detects it."""
STAYS = {
    Reset.ROLLBACK: set(LEFT) - {"transaction"},
    Reset.SESSION: set(),
    Reset.NONE: set(LEFT),
}


@pytest.mark.parametrize("reset", Reset)
def test_the_reset_between_loans_matches_the_guide(
    database_url: str, tenant: Tenant, reset: Reset
) -> None:
    pool = ConnectionPool(1, 0, config=database_url, reset=reset)
    with pool as first, first.cursor() as cursor:
        for leave, _ in LEFT.values():
            cursor.execute(leave.format(db=tenant.database))
    with pool as again, again.cursor() as cursor:
        found = {name for name, (_, query) in LEFT.items() if is_true(cursor, query, tenant)}
    assert again is first
    pool.close()
    assert found == STAYS[reset]


def is_true(cursor: Any, query: str, tenant: Tenant) -> bool:
    try:
        cursor.execute(query.format(db=tenant.database))
    except pymysql.Error:
        return False
    return bool(cursor.fetchone()[0])


def test_every_link_of_the_guide_has_a_target() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / target).exists(), target
