"""Failed connects that time does not mend: one attempt, an error with a remedy, no open breaker."""

import asyncio
import ssl
from collections.abc import Callable

import pymysql
import pytest

from steadypool import AsyncConnectionPool, Config, ConnectionFailedError, ConnectionPool
from steadypool._drivers import refusals

Fail = Callable[[], Exception]


def refused(code: int, text: str = "refused") -> Fail:
    return lambda: pymysql.OperationalError(code, text)


def caused_by(cause: Exception) -> Fail:
    def make() -> Exception:
        error = pymysql.OperationalError(2003, "Can't connect")
        error.__cause__ = cause
        return error

    return make


PERMANENT = {
    "no access": (refused(1044), "grant it"),
    "wrong password": (refused(1045), "check both"),
    "unknown database": (refused(1049), "create it"),
    "unknown character set": (refused(1115), "correct charset"),
    "blocked host": (refused(1129), "FLUSH HOSTS"),
    "host not allowed": (refused(1130), "have an account created"),
    "old client": (refused(1251), "authentication plugin"),
    "old password format": (refused(1275), "authentication plugin"),
    "plugin not loaded": (refused(1524), "has not loaded"),
    "no password allowed": (refused(1698), "own machine"),
    "must change password": (refused(1820), "expired"),
    "expired password": (refused(1862), "expired"),
    "no TLS offered": (refused(2026), "offers no TLS"),
    "plugin unknown to the driver": (refused(2059), "does not support"),
    "plugin failed in the driver": (refused(2061), "does not support"),
    "locked (MySQL)": (refused(3118), "unlock"),
    "TLS required (MySQL)": (refused(3159), "tls=true"),
    "blocked user (MySQL)": (refused(3955), "unblock"),
    "blocked user (MariaDB)": (refused(4150), "unblock"),
    "locked (MariaDB)": (refused(4151), "unlock"),
    "certificate not trusted": (caused_by(ssl.SSLCertVerificationError("bad")), "check tls_ca"),
    "TLS alert": (caused_by(ssl.SSLError(1, "[SSL: TLSV1_ALERT_UNKNOWN_CA]")), "TLS options"),
    "package for a plugin": (
        lambda: RuntimeError("'cryptography' package is required for sha256_password"),
        "extra `rsa`",
    ),
    "missing module": (lambda: ModuleNotFoundError("No module named 'nacl'"), "correct it"),
    "unknown character set of the driver": (lambda: KeyError("utf9"), "correct it"),
}
TRANSIENT = {
    "full": refused(1040),
    "shutting down": refused(1053),
    "unreachable": refused(2003),
    "lost": refused(2013),
    "TLS cut off": caused_by(ssl.SSLEOFError(8, "EOF occurred")),
    "TLS timed out": caused_by(TimeoutError("timed out")),
    "of the system": lambda: OSError("unreachable"),
}


@pytest.fixture(params=list(PERMANENT.values()), ids=list(PERMANENT))
def permanent(request: pytest.FixtureRequest) -> tuple[Fail, str]:
    found: tuple[Fail, str] = request.param
    return found


def test_a_permanent_failure_is_tried_once_in_threads(permanent: tuple[Fail, str]) -> None:
    fail, remedy = permanent
    calls: list[None] = []

    def connect() -> object:
        calls.append(None)
        raise fail()

    pool = ConnectionPool(size=1, min_size=0, connect=connect, breaker_failures=1)
    for attempt in (1, 2):
        with pytest.raises(ConnectionFailedError, match=remedy):
            pool.acquire(timeout=5)
        assert len(calls) == attempt
    assert pool.stats().waiting == 0
    pool.close()


def test_a_permanent_failure_is_tried_once_in_asyncio(permanent: tuple[Fail, str]) -> None:
    fail, remedy = permanent
    calls: list[None] = []

    async def connect() -> object:
        calls.append(None)
        raise fail()

    async def body() -> None:
        pool = await AsyncConnectionPool.open(
            size=1, min_size=0, connect=connect, breaker_failures=1
        )
        for attempt in (1, 2):
            with pytest.raises(ConnectionFailedError, match=remedy):
                await pool.acquire(timeout=5)
            assert len(calls) == attempt
        await pool.close()

    asyncio.run(body())


@pytest.mark.parametrize("fail", TRANSIENT.values(), ids=TRANSIENT.keys())
def test_a_failure_that_time_may_mend_is_transient(fail: Fail) -> None:
    assert refusals.is_transient(fail())


def test_an_unknown_character_set_is_tried_once() -> None:
    config = Config(charset="utf9", user="app", host="127.0.0.1", port=1)
    pool = ConnectionPool(size=1, min_size=0, config=config)
    with pytest.raises(ConnectionFailedError, match="correct it"):
        pool.acquire(timeout=5)
    assert pool.stats().connect_failures == 1
    pool.close()


def test_errors_that_cause_each_other_are_judged() -> None:
    first, second = ValueError("a"), OSError("b")
    first.__cause__, second.__cause__ = second, first
    assert refusals.is_transient(second)
