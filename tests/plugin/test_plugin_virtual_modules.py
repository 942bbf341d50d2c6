"""Pools without a clock run in virtual time, in the modules that their adapter names."""

from pathlib import Path

import pytest
from tests.plugin.runs import Run

WAITER = """\
def waiter() -> None:
    with lab.took(20.0):  # step 2.1
        x = pool.acquire()
    pool.release(x)  # step 2.2

held = pool.acquire()  # step 1
lab.start(waiter)  # step 2
lab.wait_until_waiting("waiter")  # step 3
lab.advance(20.0)  # step 4
pool.release(held)  # step 5
lab.join("waiter")  # step 6
lab.expect_stats(created=1, acquired=2)  # step 7"""
LOST = """\
x = pool.acquire()  # step 1
lab.fault(Fault.CONNECTION_KILLED, on=x)  # step 2
with lab.fails(ErrorKind.LOST):  # step 3
    x.query("SELECT 1")"""
EXACT = ', needs=["virtual_time"]'
"""The mark of a test of exact times."""
WITHOUT_MODULES = """\
from poolspec.adapters.sqlalchemy import SqlalchemyAdapter
from poolspec.testing import ThreadsAdapter
from poolspec.vocabulary import Capability


class Real(SqlalchemyAdapter):
    modules = ()
    capabilities = SqlalchemyAdapter.capabilities - {Capability.VIRTUAL_TIME}
"""


@pytest.mark.parametrize("pool", ["sqlalchemy", "dbutils"])
def test_a_wait_in_a_bundled_pool_takes_virtual_time(run: Run, pool: str) -> None:
    run.test(*WAITER.splitlines(), options=EXACT, arguments=("--pool", pool))
    assert run.code == 0, run.output
    found = run.result()
    assert found["outcome"] == "passed"
    assert found["real"]["clock"] == "virtual"
    assert found["seconds"] < 5


def test_a_test_of_exact_times_does_not_apply_without_modules(run: Run, tmp_path: Path) -> None:
    (tmp_path / "without_modules.py").write_text(WITHOUT_MODULES)
    run.test(*WAITER.splitlines(), options=EXACT, arguments=("--pool", "without_modules:Real"))
    assert run.code == 0, run.output
    found = run.result()
    assert found["outcome"] == "not_applicable"
    assert "virtual_time" in found["reason"]


def test_other_tests_take_real_time_without_modules(run: Run, tmp_path: Path) -> None:
    (tmp_path / "without_modules.py").write_text(WITHOUT_MODULES)
    body = "pool.release(pool.acquire())  # step 1"
    run.test(body, arguments=("--pool", "without_modules:Real"))
    assert run.code == 0, run.output
    assert run.result()["real"]["clock"] == "real"


def test_a_test_does_not_apply_to_a_pool_that_runs_a_lost_statement_again(run: Run) -> None:
    run.test(*LOST.splitlines(), arguments=("--pool", "dbutils"))
    assert run.code == 0, run.output
    found = run.result()
    assert found["outcome"] == "not_applicable"
    assert "on another connection" in found["reason"]
