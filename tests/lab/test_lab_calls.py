"""The faults in force determine what happens to a call, and calls are counted."""

import pytest

from poolspec.drivers.pymysql import PyMySQLDriver
from poolspec.faults.calls import CallFaults
from poolspec.lifecycle.body_errors import BodyInterrupt
from poolspec.vocabulary import CALL_FAULTS, Call, Fault, Manner


@pytest.fixture
def faults() -> CallFaults:
    return CallFaults(PyMySQLDriver().failure)


def test_a_call_without_a_fault_succeeds_and_is_counted(faults: CallFaults) -> None:
    plan = faults.plan(Call.PING)
    assert (plan.delay, plan.hang, plan.error) == (0.0, None, None)
    assert (faults.calls("ping"), faults.calls("close")) == (1, 0)


@pytest.mark.parametrize("fault", CALL_FAULTS)
def test_a_fault_affects_only_its_own_call_until_it_is_healed(
    fault: Fault, faults: CallFaults
) -> None:
    faults.set(fault, seconds=2.0, times=None)
    about, manner = CALL_FAULTS[fault]
    for _ in range(2):
        for call in Call:
            plan = faults.plan(call)
            ill = (plan.delay == 2.0, plan.hang is not None, plan.error is not None)
            fails = manner in (Manner.FAILS, Manner.INTERRUPTED)
            said = (manner is Manner.SLOW, manner is Manner.HANGS, fails)
            assert ill == (said if call is about else (False, False, False))
            assert isinstance(plan.error, BodyInterrupt) == (
                call is about and manner is Manner.INTERRUPTED
            )
    faults.clear(fault)
    assert faults.plan(about).error is None


@pytest.mark.parametrize("fault", [Fault.CONNECT_SLOW, Fault.CONNECT_REFUSED])
def test_a_fault_for_a_number_of_calls_is_used_up(fault: Fault, faults: CallFaults) -> None:
    faults.set(fault, seconds=1.0, times=2)
    plans = [faults.plan(Call.CONNECT) for _ in range(3)]
    assert [bool(plan.delay or plan.error) for plan in plans] == [True, True, False]


def test_a_fault_may_let_some_calls_succeed_first(faults: CallFaults) -> None:
    faults.set(Fault.CONNECT_REFUSED, seconds=0.0, times=1, after=2)
    plans = [faults.plan(Call.CONNECT) for _ in range(4)]
    assert [plan.error is not None for plan in plans] == [False, False, True, False]


def test_two_faults_of_one_call_are_combined(faults: CallFaults) -> None:
    faults.set(Fault.PING_SLOW, seconds=3.0, times=None)
    faults.set(Fault.PING_FAILS, seconds=0.0, times=None)
    plan = faults.plan(Call.PING)
    assert plan.delay == 3.0
    assert "the ping fails" in str(plan.error)


def test_a_hanging_call_continues_when_healed_even_if_it_registers_late(faults: CallFaults) -> None:
    faults.set(Fault.CONNECT_HANGS, seconds=0.0, times=None)
    hang = faults.plan(Call.CONNECT).hang
    assert hang is not None
    told: list[str] = []
    hang.when_over(lambda: told.append("early"))
    assert (hang.over, told) == (False, [])
    faults.clear(Fault.CONNECT_HANGS)
    hang.when_over(lambda: told.append("late"))
    assert (hang.over, told) == (True, ["early", "late"])
