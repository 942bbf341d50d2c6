"""What a request to a web application sends, and how its answer is checked."""

import pytest

from poolspec.lab.web.answers import Answer
from poolspec.lab.web.requests import NOTHING, RequestTerms, sent

OWN = "Host: 127.0.0.1\r\nContent-Length: {length}\r\npoolspec-call: 7\r\n"


def lines_of(terms: RequestTerms, length: int) -> str:
    """Return the bytes of a request without those that the lab adds."""
    return sent(terms).bytes_of("POST /", 7).decode().replace(OWN.format(length=length), "")


def test_a_request_without_terms_has_no_body() -> None:
    assert NOTHING.bytes_of("GET /", 7).decode() == (
        "GET / HTTP/1.0\r\n" + OWN.format(length=0) + "\r\n"
    )


def test_a_json_body_has_its_type_and_length() -> None:
    text = '{"a": [1, null, "\\u00e4"]}'
    assert lines_of({"send_json": {"a": [1, None, "ä"]}}, len(text)) == (
        f"POST / HTTP/1.0\r\nContent-Type: application/json\r\n\r\n{text}"
    )


def test_the_length_of_a_text_is_that_of_its_bytes() -> None:
    assert lines_of({"send_text": "ä"}, 2) == (
        "POST / HTTP/1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nä"
    )


def test_a_body_of_null_is_a_body() -> None:
    assert lines_of({"send_json": None}, 4).endswith("\r\n\r\nnull")


def test_a_given_type_replaces_that_of_the_body() -> None:
    terms: RequestTerms = {"send_text": "a", "send_headers": {"content-type": "text/csv"}}
    assert lines_of(terms, 1) == "POST / HTTP/1.0\r\ncontent-type: text/csv\r\n\r\na"


def test_a_missing_text_is_a_difference() -> None:
    answer = Answer(200, {}, b"paid")
    answer.check(200, {}, {}, ("paid",))
    with pytest.raises(AssertionError, match="the answer does not contain 'open'"):
        answer.check(200, {}, {}, ("open",))


def test_a_difference_shows_no_secret() -> None:
    answer = Answer(200, {"set-cookie": "sesame"}, b'{"token": "sesame"}')
    with pytest.raises(AssertionError) as raised:
        answer.check(200, {"Set-Cookie": "open"}, {"token": "open", "api_key": "open"})
    text = str(raised.value)
    assert "sesame" not in text
    assert "open" not in text
    assert "Set-Cookie: another value than expected" in text
    assert "api_key: missing" in text
