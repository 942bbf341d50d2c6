"""A password is found in a text, a URL, an error behind an error, and a log record."""

import logging
from urllib.parse import quote

import pytest

from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.log_records import LogNames, LogRecords
from poolspec.invariants.passwords import PasswordSearch

PASSWORD = "hunter2@:/"


def shown_by(source: str) -> Finding:
    return Finding(Defect.EXPOSED_PASSWORD, f"{source} shows a password")


@pytest.fixture
def secrets() -> PasswordSearch:
    return PasswordSearch(lambda: [PASSWORD, ""])


def test_a_text_without_a_password_is_no_finding(secrets: PasswordSearch) -> None:
    secrets.look("the pool", "<ConnectionPool 'primary' at 127.0.0.1:3306 as user 'app'>")
    secrets.look_into(ValueError("no such host"))
    assert secrets.found() == []


@pytest.mark.parametrize("form", [PASSWORD, quote(PASSWORD, safe="")])
def test_a_password_is_found_in_plain_text_and_in_a_url(secrets: PasswordSearch, form: str) -> None:
    secrets.look("the pool", f"mysql://app:{form}@db1/shop")
    assert secrets.found() == [shown_by("the pool")]


def test_the_causes_of_an_error_are_searched_too(secrets: PasswordSearch) -> None:
    def parse() -> None:
        raise ValueError(f"near {PASSWORD!r}")

    with pytest.raises(RuntimeError) as caught:
        try:
            parse()
        except ValueError:
            raise RuntimeError("cannot be read") from None
    secrets.look_into(caught.value)
    assert secrets.found() == [shown_by("the error ValueError")]


@pytest.mark.parametrize("extra", [{}, {"address": f"app:{PASSWORD}@db1"}])
def test_a_log_record_is_searched_with_its_attributes(
    secrets: PasswordSearch, extra: dict[str, str]
) -> None:
    records = LogRecords(LogNames("poolspec.test", {}), secrets.look, lambda: None)
    text = "connected" if extra else f"connected as app:{PASSWORD}"
    logging.getLogger("poolspec.test").info("%s", text, extra=extra)
    records.stop()
    assert secrets.found() == [shown_by("a log record")]
