"""Statements about the session and the server, known by their first words.

The table at the end pairs patterns with actions. A statement that matches none is translated and
run on the database.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import closing
from typing import Protocol

from poolspec.servers.engine.accounts import ADMIN
from poolspec.servers.engine.catalog import Roster, open_catalog
from poolspec.servers.engine.faults import Code, SqlError
from poolspec.servers.engine.session import Session
from poolspec.servers.engine.translate import CATALOG, translate
from poolspec.servers.engine.wire import Result

DONE = Result()


class Server(Roster, Protocol):
    """A server that can end connections."""

    def kill(self, connection_id: int, killer: Session, *, only_statement: bool) -> None:
        """End a connection, or the statement it waits in."""


Action = Callable[[Server, Session, re.Match[str]], Awaitable[Result]]


async def execute(server: Server, session: Session, sql: str) -> Result:
    """Run one statement; raises SqlError."""
    text = sql.strip().rstrip(";").rstrip()
    first = _WORD.match(text)
    for pattern, action in _ACTIONS.get(first[0].upper() if first else "", ()):
        match = pattern.fullmatch(text)
        if match is not None:
            return await action(server, session, match)
    plan = translate(text)
    if CATALOG in (plan.database, (session.database or "").lower()) and plan.touches_tables:
        return _look_up(server, session, plan.statements[0])
    return await session.run(plan)


def _look_up(server: Server, session: Session, sql: str) -> Result:
    with closing(open_catalog(server, session, sql)) as catalog:
        try:
            cursor = catalog.execute(sql)
        except Exception as error:
            raise SqlError(Code.UNKNOWN_TABLE, f"In information_schema: {error}") from None
        return Result(tuple(column[0] for column in cursor.description), cursor.fetchall())


async def _begin(_: Server, session: Session, __: re.Match[str]) -> Result:
    session.begin()
    return DONE


async def _end(_: Server, session: Session, match: re.Match[str]) -> Result:
    session.end(match["verb"].upper())
    return DONE


async def _savepoint(_: Server, session: Session, match: re.Match[str]) -> Result:
    await session.savepoint(re.sub(r"(?i)\bWORK\b", "", match[0]).replace("`", '"'))
    return DONE


async def _use(_: Server, session: Session, match: re.Match[str]) -> Result:
    session.use(match["name"])
    return DONE


async def _do(server: Server, session: Session, match: re.Match[str]) -> Result:
    await execute(server, session, f"SELECT {match['what']}")
    return DONE


async def _kill(server: Server, session: Session, match: re.Match[str]) -> Result:
    only_statement = (match["kind"] or "").upper() == "QUERY"
    server.kill(int(match["id"]), session, only_statement=only_statement)
    return DONE


async def _ignore(_: Server, __: Session, ___: re.Match[str]) -> Result:
    return DONE


async def _set_names(_: Server, session: Session, match: re.Match[str]) -> Result:
    for name in ("character_set_client", "character_set_connection", "character_set_results"):
        session.variables.set(name, match["charset"])
    if match["collation"]:
        session.variables.set("collation_connection", match["collation"])
    return DONE


async def _set_isolation(_: Server, session: Session, match: re.Match[str]) -> Result:
    level = re.sub(r"\s+", "-", match["level"].strip().upper())
    for name in ("transaction_isolation", "tx_isolation"):
        session.variables.set(name, level)
    return DONE


async def _set(server: Server, session: Session, match: re.Match[str]) -> Result:
    rest = match["assignments"]
    while rest:
        found = _ASSIGNMENT.match(rest)
        if found is None:
            raise SqlError(Code.SYNTAX, f"You have an error in your SQL syntax near '{rest[:60]}'")
        await _assign(server, session, found)
        rest = rest[found.end() :]
    return DONE


async def _assign(server: Server, session: Session, found: re.Match[str]) -> None:
    value = found["value"].strip()
    if found["user"]:
        result = await execute(server, session, f"SELECT {value}")
        session.user_variables[found["user"]] = result.rows[0][0]
        return
    scope = (found["scope"] or found["at"] or "").upper()
    if scope == "GLOBAL":
        _only_admin(session)
        server.variables.set(found["name"], value)
        return
    session.variables.set(found["name"], value)
    if found["name"].lower() == "autocommit" and session.autocommit and session.in_transaction:
        session.end("COMMIT")


async def _show(server: Server, session: Session, match: re.Match[str]) -> Result:
    what, rest = match["what"].upper(), match["rest"] or ""
    like = re.search(r"(?i)\bLIKE\s+('[^']*')", rest)
    named = re.match(r"(?i)\s*(?:FROM|IN)\s+`?(\w+)`?", rest)
    where = f"WHERE {_SHOWN[what][1]} LIKE {like[1]}" if like else "WHERE 1"
    if what in ("TABLES", "COLUMNS"):
        where += f" AND TABLE_SCHEMA = '{session.database}'"
    if what == "COLUMNS" and named:
        where += f" AND TABLE_NAME = '{named[1]}'"
    return _look_up(server, session, f"{_SHOWN[what][0]} {where}")


async def _create_database(server: Server, session: Session, match: re.Match[str]) -> Result:
    _only_admin(session)
    server.accounts.create_database(match["name"], if_missing=bool(match["exists"]))
    return Result(affected=1)


async def _drop_database(server: Server, session: Session, match: re.Match[str]) -> Result:
    exists = bool(match["exists"])
    server.accounts.drop_database(session.user, match["name"], if_exists=exists)
    return DONE


async def _create_user(server: Server, session: Session, match: re.Match[str]) -> Result:
    _only_admin(session)
    server.accounts.create_user(match["user"], match["password"])
    server.accounts.limit_user(match["user"], int(match["limit"] or 0))
    return DONE


async def _alter_user(server: Server, session: Session, match: re.Match[str]) -> Result:
    _only_admin(session)
    server.accounts.limit_user(match["user"], int(match["limit"]))
    return DONE


async def _change_password(server: Server, session: Session, match: re.Match[str]) -> Result:
    _only_admin(session)
    server.accounts.change_password(match["user"], match["password"])
    return DONE


async def _bar_user(server: Server, session: Session, match: re.Match[str]) -> Result:
    _only_admin(session)
    how = match["plugin"] or " ".join(match["how"].upper().split())
    server.accounts.bar(match["user"], how)
    return DONE


async def _grant(server: Server, session: Session, match: re.Match[str]) -> Result:
    _only_admin(session)
    server.accounts.grant(match["user"], match["name"])
    return DONE


async def _drop_user(server: Server, session: Session, match: re.Match[str]) -> Result:
    _only_admin(session)
    server.accounts.drop_user(match["user"], if_exists=bool(match["exists"]))
    return DONE


def _only_admin(session: Session) -> None:
    if session.user != ADMIN:
        raise SqlError(Code.PRIVILEGE, "Access denied; you need the administrator's privilege")


_WORD = re.compile(r"[A-Za-z]+")
_NAME = r"`?(?P<name>[\w$-]+)`?"
_USER = r"['`\"]?(?P<user>[\w$-]+)['`\"]?(?:\s*@\s*['`\"]?[^'`\"\s]*['`\"]?)?"
_IF = r"(?P<exists>IF\s+(?:NOT\s+)?EXISTS\s+)?"
_LIMIT = r"WITH\s+MAX_USER_CONNECTIONS\s+(?P<limit>\d+)"
_ASSIGNMENT = re.compile(
    r"""\s*(?:@(?P<user>\w+)
          |(?:(?P<scope>GLOBAL|SESSION|LOCAL)\s+|@@(?:(?P<at>GLOBAL|SESSION|LOCAL)\.)?)?(?P<name>\w+))
        \s*:?=\s*(?P<value>'(?:[^'\\]|\\.|'')*'|"[^"]*"|(?:[^,(]|\([^)]*\))+)\s*(?:,|$)""",
    re.IGNORECASE | re.VERBOSE,
)
_SHOWN = {
    "PROCESSLIST": ("SELECT ID AS Id, USER AS User, HOST AS Host, DB AS db, COMMAND AS Command, "
                    "TIME AS Time, STATE AS State, INFO AS Info FROM processlist", "INFO"),
    "DATABASES": ("SELECT SCHEMA_NAME AS `Database` FROM schemata", "SCHEMA_NAME"),
    "TABLES": ("SELECT TABLE_NAME AS Tables FROM tables", "TABLE_NAME"),
    "COLUMNS": ("SELECT COLUMN_NAME AS Field, COLUMN_TYPE AS Type, IS_NULLABLE AS `Null`, "
                "COLUMN_KEY AS `Key`, COLUMN_DEFAULT AS `Default`, EXTRA AS Extra FROM columns",
                "COLUMN_NAME"),
    "VARIABLES": ("SELECT VARIABLE_NAME AS Variable_name, VARIABLE_VALUE AS Value "
                  "FROM session_variables", "VARIABLE_NAME"),
    "STATUS": ("SELECT VARIABLE_NAME AS Variable_name, VARIABLE_VALUE AS Value "
               "FROM session_status", "VARIABLE_NAME"),
}  # fmt: skip


def _table(
    entries: Iterable[tuple[str, Action]],
) -> dict[str, list[tuple[re.Pattern[str], Action]]]:
    # By the first word, so that most statements are compared with few patterns or none.
    table: dict[str, list[tuple[re.Pattern[str], Action]]] = {}
    for pattern, action in entries:
        compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
        word = re.search(r"[A-Z]{2,}", pattern)
        assert word is not None
        table.setdefault(word[0], []).append((compiled, action))
    return table


_ACTIONS = _table(
    (
        (r"BEGIN(?:\s+WORK)?", _begin),
        (r"START\s+TRANSACTION\b.*", _begin),
        (r"(?P<verb>COMMIT)(?:\s+WORK)?", _end),
        (r"(?P<verb>ROLLBACK)(?:\s+WORK)?", _end),
        (r"ROLLBACK\s+(?:WORK\s+)?TO\s+(?:SAVEPOINT\s+)?`?\w+`?", _savepoint),
        (r"SAVEPOINT\s+`?\w+`?", _savepoint),
        (r"RELEASE\s+SAVEPOINT\s+`?\w+`?", _savepoint),
        (rf"USE\s+{_NAME}", _use),
        (r"DO\s+(?P<what>.+)", _do),
        (r"KILL\s+(?:(?:HARD|SOFT)\s+)?(?:(?P<kind>CONNECTION|QUERY)\s+)?(?P<id>\d+)", _kill),
        (r"FLUSH\b.*", _ignore),
        (r"SET\s+NAMES\s+['\"]?(?P<charset>\w+)['\"]?"
         r"(?:\s+COLLATE\s+['\"]?(?P<collation>\w+)['\"]?)?", _set_names),
        (r"SET\s+(?:SESSION\s+)?TRANSACTION\s+ISOLATION\s+LEVEL\s+(?P<level>[\w\s]+)",
         _set_isolation),
        (r"SET\s+(?P<assignments>.+)", _set),
        (r"SHOW\s+(?:FULL\s+|GLOBAL\s+|SESSION\s+)?"
         r"(?P<what>PROCESSLIST|DATABASES|TABLES|COLUMNS|VARIABLES|STATUS)(?P<rest>\s.*)?", _show),
        (rf"CREATE\s+(?:DATABASE|SCHEMA)\s+{_IF}{_NAME}(?:\s.*)?", _create_database),
        (rf"DROP\s+(?:DATABASE|SCHEMA)\s+{_IF}{_NAME}", _drop_database),
        (rf"CREATE\s+USER\s+{_IF}{_USER}\s+IDENTIFIED\s+BY\s+'(?P<password>[^']*)'(?:\s+{_LIMIT})?",
         _create_user),
        (rf"ALTER\s+USER\s+{_USER}\s+{_LIMIT}", _alter_user),
        (rf"ALTER\s+USER\s+{_USER}\s+IDENTIFIED\s+BY\s+'(?P<password>[^']*)'", _change_password),
        (rf"ALTER\s+USER\s+{_USER}\s+(?P<how>ACCOUNT\s+LOCK|PASSWORD\s+EXPIRE"
         r"|IDENTIFIED\s+WITH\s+(?P<plugin>\w+))", _bar_user),
        (rf"DROP\s+USER\s+{_IF}{_USER}", _drop_user),
        (rf"GRANT\s+ALL(?:\s+PRIVILEGES)?\s+ON\s+{_NAME}\.\*\s+TO\s+{_USER}", _grant),
    )
)  # fmt: skip
