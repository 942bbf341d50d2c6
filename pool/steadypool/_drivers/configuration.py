"""The address of the database and how to sign in: from a file, a URL or a `Config`.

A file names databases:

    databases:
      primary: {host: db1, user: app, password: ${DB_PASSWORD}, database: shop}

`${NAME}` and `${NAME:-default}` come from the environment. They are substituted after the YAML has
been parsed, so no value can change the meaning of the file. A password never appears in a
representation or an error; therefore errors quote keys and names of variables, but no text values.
"""

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from steadypool._drivers.configuration_values import CONVERTERS
from steadypool.errors import PoolConfigError

FILE_VARIABLE = "STEADYPOOL_CONFIG"
DEFAULT_FILE = "config.yaml"

_ENCODE = "in a password write / as %2F, ? as %3F, # as %23; and an @ after the host as %40"
_VARIABLE = re.compile(r"\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?)\}")
_PLACEHOLDER = re.compile("\ue000([0-9]+)\ue001")


@dataclass(frozen=True, slots=True)
class Config:
    """One database. Times are in seconds; a timeout of None means no limit."""

    host: str = "127.0.0.1"
    port: int = 3306
    user: str = ""
    password: str = field(default="", repr=False)
    database: str | None = None
    unix_socket: str | None = None
    """Path of a unix socket, used instead of host and port."""
    connect_timeout: float = 10.0
    """For looking up the host name, connecting and signing in together."""
    query_timeout: float | None = 5.0
    """For sending a statement, and for the server's answer. A query that takes longer fails, and
    its connection is lost. In asyncio the limit covers the whole answer (each row of a streamed
    result). In threads it covers each wait for more of the answer, so a server that keeps sending
    small pieces is not disconnected."""
    read_timeout: float | None = None
    """For the answer, in place of `query_timeout` and measured in the same way."""
    write_timeout: float | None = None
    """For each write of a statement, in place of `query_timeout`."""
    charset: str = "utf8mb4"
    autocommit: bool = False
    tls: bool | None = None
    """True: required. False: never. None: used if a server on another machine offers it."""
    tls_ca: str | None = None
    """File of authorities. It makes TLS required and verifies the server's certificate and name."""
    tls_cert: str | None = None
    """File of the client's certificate, with its chain; it makes TLS required."""
    tls_key: str | None = None
    """File of the client's private key, not encrypted; None: it is in the file of `tls_cert`.
    Each connect uses the three files as they are then."""

    def __post_init__(self) -> None:
        for name, convert in CONVERTERS.items():
            object.__setattr__(self, name, convert(name, getattr(self, name)))
        if self.tls_key is not None and self.tls_cert is None:
            raise PoolConfigError("tls_key needs tls_cert, the file of its certificate")

    @property
    def address(self) -> str:
        """The socket's path, or host:port."""
        return self.unix_socket or f"{self.host}:{self.port}"

    @property
    def place(self) -> str:
        """Return the destination as part of a sentence."""
        named = "" if self.database is None else f", database {self.database!r}"
        return f"{self.address} as user {self.user!r}{named}"

    @property
    def requires_tls(self) -> bool:
        """Whether a connection without TLS is refused."""
        return bool(self.tls or self.tls_ca or self.tls_cert)

    @property
    def reading_timeout(self) -> float | None:
        """The time limit for reads."""
        return self.query_timeout if self.read_timeout is None else self.read_timeout

    @property
    def writing_timeout(self) -> float | None:
        """The time limit for writes."""
        return self.query_timeout if self.write_timeout is None else self.write_timeout


def load(source: "Config | str | os.PathLike[str] | None", name: str) -> Config:
    """Load the configuration of the database `name`.

    `source` is a Config, a URL `mysql://user:password@host:port/database?option=value`, the path
    of a file, or None for the file named by $STEADYPOOL_CONFIG, or else ./config.yaml.
    Raises PoolConfigError.
    """
    if isinstance(source, Config):
        return source
    if isinstance(source, str) and "://" in source:
        return from_url(source)
    if source is not None and (not source or not isinstance(source, str | os.PathLike)):
        raise PoolConfigError(
            f"config must be a URL, a file's path or a Config, not {_described(source)}"
        )
    path = Path(source or os.environ.get(FILE_VARIABLE) or DEFAULT_FILE)
    return from_file(path, name)


def from_url(url: str) -> Config:
    """Read `mysql://user:password@host:port/database?option=value` (also `mysql+pymysql`)."""
    parts, port = _split(url)
    if parts.scheme not in ("mysql", "mysql+pymysql", "mariadb"):
        raise PoolConfigError(f"a database URL starts with mysql://, not {parts.scheme}://")
    given: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.hostname:
        given["host"] = parts.hostname
    if port is not None:
        given["port"] = port
    for key, text in (("user", parts.username), ("password", parts.password)):
        if text is not None:
            given[key] = unquote(text)
    if parts.path.strip("/"):
        given["database"] = unquote(parts.path.strip("/"))
    return _config(given, "the database URL")


def from_file(path: Path, name: str) -> Config:
    """Read the database `name` from a YAML file."""
    found: list[re.Match[str]] = []
    tree = _parse(_with_placeholders(_read(path), found), path)
    databases = tree.get("databases") if isinstance(tree, dict) else None
    if not isinstance(databases, dict):
        raise PoolConfigError(
            f"{path}: expected a mapping `databases:` of named databases, "
            f"such as `databases: {{{name}: {{host: db1, user: app}}}}`"
        )
    if name not in databases:
        raise PoolConfigError(f"{path}: no database {name!r}{_hint(name, databases)}")
    place = f"{path}: databases.{name}"
    entry = databases[name]
    if not isinstance(entry, dict):
        raise PoolConfigError(f"{place}: expected a mapping of options")
    given = {str(key): _substitute(value, found, f"{place}.{key}") for key, value in entry.items()}
    return _config(given, place)


def _with_placeholders(text: str, found: list[re.Match[str]]) -> str:
    """Replace every variable by a placeholder that has no meaning in YAML."""

    def replace(match: re.Match[str]) -> str:
        found.append(match)
        return f"\ue000{len(found) - 1}\ue001"

    return _VARIABLE.sub(replace, text)


# The errors below carry no `__context__`, which might quote a password.


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        # An unencoded / ? or # in a password puts its @ into the path, query or fragment.
        if "@" in parts.path + parts.query + parts.fragment:
            raise ValueError
        return parts, parts.port
    except ValueError:
        fault = "the database URL has a malformed host or port"
    raise PoolConfigError(f"{fault}: {_ENCODE}")


def _described(source: object) -> str:
    """Describe a wrong source without its value, which may be a password."""
    return f"a {type(source).__name__}" if source else "empty: is its variable set?"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        fault = (
            f"no configuration file {str(path)!r}: create it, name another in ${FILE_VARIABLE}, "
            "or pass config= or connect= to the pool"
        )
    except (OSError, UnicodeDecodeError) as error:
        fault = f"cannot read {str(path)!r}: {type(error).__name__}"
    raise PoolConfigError(fault)


def _parse(text: str, path: Path) -> object:
    try:
        import yaml  # an extra, and slow to import: only for pools configured by a file
    except ImportError as error:
        raise PoolConfigError(
            f"{path} needs PyYAML: install steadypool with its extra `config`, "
            "or pass config= as a URL or a Config"
        ) from error
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        fault = f"{place}: not valid YAML ({error.context or 'syntax'})"
    except yaml.YAMLError:
        fault = f"{path}: not valid YAML"
    raise PoolConfigError(fault)


def _substitute(value: object, found: list[re.Match[str]], place: str) -> object:
    """Replace the placeholders by the values of their variables."""
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        name, default = found[int(match[1])].groups()
        if name in os.environ:
            return os.environ[name]
        if default is None:
            raise PoolConfigError(
                f"{place}: the environment variable {name} is not set; set it, or write "
                f"${{{name}:-default}}"
            )
        return str(default)

    return _PLACEHOLDER.sub(replace, value)


def _config(given: Mapping[str, Any], place: str) -> Config:
    known = [item.name for item in fields(Config)]
    for key in given:
        if key not in known:
            raise PoolConfigError(f"{place}: unknown option {key!r}{_hint(key, known)}")
    try:
        return Config(**given)
    except PoolConfigError as error:
        raise PoolConfigError(f"{place}: {error}") from None


def _hint(word: str, known: "Mapping[str, object] | list[str]") -> str:
    near = difflib.get_close_matches(word, list(known), n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known: {', '.join(map(str, known))}"
