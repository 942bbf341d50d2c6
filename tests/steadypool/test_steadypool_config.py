"""Configuration: its sources, the values it refuses, and the secrets it never shows."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from steadypool import Config, ConnectionPool, Connector, PoolConfigError, PoolInitializationError
from steadypool._drivers.configuration import from_url, load

SECRET = "hunter2 #: {}"


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_names_databases(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "databases:\n  primary: {host: a}\n  other: {host: b, port: 3307, user: u, database: d}\n",
    )
    config = load(path, "other")
    assert (config.host, config.port, config.user, config.database) == ("b", 3307, "u", "d")
    assert load(path, "primary").host == "a"


def test_variables_with_any_characters_are_filled_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    path = write(tmp_path, "databases:\n  primary: {password: ${DB_PASSWORD}, host: x}\n")
    assert load(path, "primary").password == SECRET


def test_a_variable_may_have_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DB_PORT", raising=False)
    path = write(tmp_path, "databases:\n  primary:\n    port: ${DB_PORT:-3310}\n")
    assert load(path, "primary").port == 3310
    monkeypatch.setenv("DB_PORT", "3311")
    assert load(path, "primary").port == 3311


def test_the_error_for_a_missing_variable_names_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    path = write(tmp_path, "databases:\n  primary: {password: ${NOT_SET}}\n")
    with pytest.raises(PoolConfigError, match=r"databases\.primary\.password.*NOT_SET is not set"):
        load(path, "primary")


def test_a_variable_of_another_database_may_be_missing(tmp_path: Path) -> None:
    path = write(tmp_path, "databases:\n  primary: {host: a}\n  other: {host: '${NOT_SET}'}\n")
    assert load(path, "primary").host == "a"


def test_the_error_for_an_unknown_option_suggests_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "databases:\n  primary: {hots: a}\n")
    with pytest.raises(PoolConfigError, match="unknown option 'hots'; did you mean 'host'"):
        load(path, "primary")


def test_the_error_for_an_unknown_database_suggests_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "databases:\n  primary: {host: a}\n")
    with pytest.raises(PoolConfigError, match="no database 'primry'; did you mean 'primary'"):
        load(path, "primry")


@pytest.mark.parametrize("text", ["", "primary: {host: a}\n", "databases: [primary]\n"])
def test_the_error_for_a_file_without_databases_shows_an_example(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(PoolConfigError) as caught:
        load(path, "primary")
    assert str(caught.value) == (
        f"{path}: expected a mapping `databases:` of named databases, "
        "such as `databases: {primary: {host: db1, user: app}}`"
    )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{port: many}", "port must be a whole number from 1 to 65535"),
        ("{port: 0}", "port must be"),
        ("{connect_timeout: 0}", "connect_timeout must be seconds, above 0"),
        ("{autocommit: perhaps}", "autocommit must be true or false"),
        ("{password: 12345}", "password must be text, not int"),
        ("[a]", "expected a mapping of options"),
    ],
)
def test_the_error_for_a_wrong_value_names_its_place(
    tmp_path: Path, entry: str, message: str
) -> None:
    path = write(tmp_path, f"databases:\n  primary: {entry}\n")
    with pytest.raises(PoolConfigError, match=rf"databases\.primary: {message}") as caught:
        load(path, "primary")
    assert "12345" not in str(caught.value)


def test_a_configuration_file_without_pyyaml_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(PoolConfigError, match=r"needs PyYAML: .* extra `config`"):
        load(write(tmp_path, "databases: {}"), "primary")


def test_the_error_for_broken_yaml_names_the_position_without_the_line(tmp_path: Path) -> None:
    path = write(tmp_path, "databases:\n  primary: {password: hunter2, host: ]\n")
    with pytest.raises(PoolConfigError, match=r"config\.yaml:2:\d+: not valid YAML") as caught:
        load(path, "primary")
    assert "hunter2" not in str(caught.value)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PoolConfigError, match="STEADYPOOL_CONFIG"):
        load(tmp_path / "none.yaml", "primary")


def test_the_file_is_found_by_variable_or_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "databases: {primary: {host: here}}")
    monkeypatch.setenv("STEADYPOOL_CONFIG", str(path))
    assert load(None, "primary").host == "here"
    monkeypatch.delenv("STEADYPOOL_CONFIG")
    monkeypatch.chdir(tmp_path)
    assert load(None, "primary").host == "here"


def test_the_destination_contains_a_database_only_if_one_is_configured() -> None:
    at = Config(host="db1", user="app")
    assert at.place == "db1:3306 as user 'app'"
    assert replace(at, database="shop").place == f"{at.place}, database 'shop'"


def test_a_url_may_contain_the_whole_configuration() -> None:
    config = from_url("mysql://us%40er:p%3Aw@db:3307/shop?connect_timeout=3&autocommit=true")
    assert config == Config(
        host="db",
        port=3307,
        user="us@er",
        password="p:w",
        database="shop",
        connect_timeout=3.0,
        autocommit=True,
    )


def test_a_url_may_name_a_socket() -> None:
    assert from_url("mysql://u:p@/d?unix_socket=/run/db.sock").address == "/run/db.sock"


@pytest.mark.parametrize(
    "url", ["postgres://u:hunter2@h/d", "mysql://u:hunter2@h:x/d", "mysql://u:hunter2@h/d?potr=1"]
)
def test_the_error_for_a_wrong_url_does_not_quote_it(url: str) -> None:
    with pytest.raises(PoolConfigError) as caught:
        from_url(url)
    assert "hunter2" not in str(caught.value)


def test_no_representation_shows_the_password() -> None:
    config = Config(password="hunter2")
    assert "hunter2" not in repr(config) + str(config) + repr(Connector(config))


@pytest.mark.parametrize("password", ["hunter2", "hunter2€"])
def test_a_failed_start_names_the_address_but_not_the_password(
    tmp_path: Path, password: str
) -> None:
    config = Config(
        unix_socket=str(tmp_path / "none.sock"), user="app", password=password, database="shop"
    )
    with pytest.raises(PoolInitializationError) as caught:
        ConnectionPool(config=config)
    message = str(caught.value)
    assert str(tmp_path / "none.sock") in message
    assert "'app'" in message
    assert "'shop'" in message
    assert "Is the server running" in message
    assert "hunter2" not in message + repr(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize("url", ["mysql://u:hunter2/3@h/d", "mysql://u:p@h:hunter2/d"])
def test_no_error_for_a_malformed_url_quotes_it(url: str) -> None:
    with pytest.raises(PoolConfigError) as caught:
        from_url(url)
    assert caught.value.__context__ is None
    assert "hunter2" not in repr(caught.value)


@pytest.mark.parametrize("sign", ["/", "?", "#"])
@pytest.mark.parametrize("start", ["12", "a@b"])
def test_the_error_names_the_invalid_character_of_a_password_but_not_the_password(
    start: str, sign: str
) -> None:
    with pytest.raises(PoolConfigError, match="in a password write / as %2F") as caught:
        from_url(f"mysql://app:{start}{sign}hunter2@db1/shop")
    assert "hunter2" not in str(caught.value)


def test_encoded_characters_are_accepted() -> None:
    config = from_url("mysql://app:1%2F%3F%23@h/shop?unix_socket=/run/%40a")
    assert (config.password, config.unix_socket) == ("1/?#", "/run/@a")


def test_the_error_for_an_invalid_source_names_its_type() -> None:
    with pytest.raises(
        PoolConfigError, match="a URL, a file's path or a Config, not a dict"
    ) as caught:
        ConnectionPool(config={"host": "db1", "password": SECRET})  # type: ignore[arg-type]  # wrong on purpose
    assert "hunter2" not in str(caught.value)


def test_an_empty_source_is_refused() -> None:
    with pytest.raises(PoolConfigError, match="is its variable set"):
        ConnectionPool(config="")
