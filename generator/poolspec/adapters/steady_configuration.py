"""Configures steadypool in each of its ways, correctly or with a flaw."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import steadypool
from poolspec.lab.contract import Place
from poolspec.vocabulary import Flaw, Given

NAME = "primary"
"""The name of the database in files, which is the pool's default."""
FILE_VARIABLE = "STEADYPOOL_CONFIG"
SECRET_VARIABLE = "POOLSPEC_PASSWORD"
PORT_VARIABLE = "POOLSPEC_PORT"
SETTINGS = ("connect_timeout", "query_timeout", "autocommit", "tls")
"""Options of the configuration, not of the pool."""

Values = dict[str, Any]


@contextmanager
def configured(place: Place, options: Mapping[str, Any]) -> Iterator[Values]:
    """Yield all options of a pool, with its configuration.

    Environment variables are set until the block ends. Raises PoolConfigError.
    """
    given = {name: value for name, value in options.items() if name not in SETTINGS}
    given["setup"] = _counted(place.opened, given.get("setup"))
    values = _values(place, {name: options[name] for name in SETTINGS if name in options})
    if place.given is Given.CONFIG:
        yield {**given, "config": steadypool.Config(**values)}
    elif place.given is Given.URL:
        yield {**given, "config": _url(values, place.flaw)}
    elif place.given is Given.FILE:
        yield {**given, "config": _file(place, _literals(values))}
    else:
        literals = {**_literals(values), "password": f"${{{SECRET_VARIABLE}}}"}
        literals["port"] = f"${{{PORT_VARIABLE}:-{values['port']}}}"
        variables = {
            FILE_VARIABLE: str(_file(place, literals)),
            SECRET_VARIABLE: None if place.flaw is Flaw.MISSING else values["password"],
            PORT_VARIABLE: "http" if place.flaw is Flaw.BAD_VALUE else None,
        }
        with _environment(variables):
            yield given


def _counted(opened: Callable[[Any], None], setup: Any) -> Callable[[Any], object]:
    """Return a setup hook that counts each new connection, then runs the spec's own hook."""

    def hook(connection: Any) -> object:
        opened(connection)
        return setup(connection) if setup else None

    return hook


def _values(place: Place, settings: Mapping[str, Any]) -> Values:
    """Return the options of the configuration."""
    tenant = place.tenant
    values: Values = {
        "host": tenant.address.host,
        "port": tenant.address.port,
        "user": tenant.user,
        "password": tenant.password,
        "database": tenant.database,
        **settings,
    }
    if not tenant.database:
        del values["database"]
    if tenant.address.unix_socket is not None:
        values["unix_socket"] = tenant.address.unix_socket
    if place.authorities is not None:
        values["tls_ca"] = str(place.authorities)
    if place.certificate is not None:
        values["tls_cert"] = str(place.certificate)
        values["tls_key"] = str(place.certificate.with_suffix(".key"))
    if place.flaw is Flaw.MISSPELT:
        values["charste"] = "utf8mb4"
    if place.flaw is Flaw.UNKNOWN:
        values["colour"] = "blue"
    if place.flaw is Flaw.BAD_VALUE:
        values["connect_timeout"] = "soon"
    if place.flaw is Flaw.UNQUOTED:
        values["user"] = 1001
    if place.flaw is Flaw.NO_AUTHORITY:
        values["tls_ca"] = str(place.folder / "authority.pem")
    return values


def _url(values: Values, flaw: Flaw | None) -> str:
    if flaw is Flaw.EMPTY:
        return ""
    parts = dict(values)
    user, password, database, host = (
        quote(parts.pop(name, ""), safe="") for name in ("user", "password", "database", "host")
    )
    if flaw is Flaw.UNENCODED:
        password = f"1/2{values['password']}"
    port = "http" if flaw is Flaw.MALFORMED else parts["port"]
    scheme = "postgresql" if flaw is Flaw.FOREIGN else "mysql"
    del parts["port"]
    options = f"?{urlencode(parts)}" if parts else ""
    return f"{scheme}://{user}:{password}@{host}:{port}/{database}{options}"


def _literals(values: Values) -> dict[str, str]:
    return {name: json.dumps(value) for name, value in values.items()}  # JSON is also YAML


def _file(place: Place, literals: Mapping[str, str]) -> Path:
    """Write the configuration file, unless the flaw is that it is missing; return its path."""
    path = place.folder / "databases.yaml"
    tenant = place.tenant
    name = "primry" if place.flaw is Flaw.UNNAMED else NAME
    text = f"databases:\n  {name}:\n"
    text += "".join(f"    {option}: {literal}\n" for option, literal in literals.items())
    if place.flaw is Flaw.UNREADABLE:
        path.write_bytes(text.encode() + b"\xff")
    elif place.flaw is Flaw.GARBLED:
        path.write_text(text.replace("    password: ", "    password: \x07"))
    elif place.flaw is Flaw.EMPTY:
        path.write_text("")
    elif place.flaw is Flaw.FOREIGN:
        path.write_text("services:\n  web: {image: nginx}\n")
    elif place.flaw is Flaw.MISSHAPEN:
        path.write_text(f"databases:\n  {name}: mysql://{tenant.user}:{tenant.password}@db1/shop\n")
    elif place.flaw is Flaw.MALFORMED:
        path.write_text(text.replace("    password: ", "    password: ] "))  # not valid YAML
    elif place.flaw is not Flaw.MISSING or place.given is Given.ENVIRONMENT:
        path.write_text(text)
    return path


@contextmanager
def _environment(variables: Mapping[str, str | None]) -> Iterator[None]:
    """Set or unset variables, and restore them when the block ends."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, text in variables.items():
        os.environ.pop(name, None)
        if text is not None:
            os.environ[name] = text
