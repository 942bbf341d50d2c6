"""Each invariant reports its own violation, and no other."""

from poolspec.invariants.checks import findings_in_log
from poolspec.invariants.counts import AtRest, findings_at_rest
from poolspec.invariants.defects import Defect
from poolspec.invariants.log import Entry, Figures
from poolspec.vocabulary import Capability, EventKind, StatName

ALL = frozenset(Capability)
RIGHT: dict[str, int] = {
    **dict.fromkeys(StatName, 0),
    StatName.CREATED: 3,
    StatName.CLOSED: 1,
    StatName.ACQUIRED: 5,
    StatName.RELEASED: 5,
    StatName.TOTAL_CONNECTIONS: 2,
    StatName.POOL_SIZE: 2,
    StatName.MAX_SIZE: 3,
}


def at_rest(
    *,
    sockets: int = 2,
    peak: int = 3,
    at_server: int = 2,
    killed: int = 0,
    most: int | None = 3,
    **wrong: int,
) -> list[str]:
    seen = AtRest(RIGHT | wrong, {}, sockets, peak, 0, most, at_server, killed)
    return [str(finding) for finding in findings_at_rest(seen)]


def compared(failed: int = 0, **seen: int) -> list[str]:
    rest = AtRest(RIGHT, RIGHT | seen, 2, 3, failed, most=3, at_server=2)
    return [str(finding) for finding in findings_at_rest(rest)]


def lab(kind: EventKind, actor: str, connection: int, detail: str = "") -> Entry:
    return Entry(0.0, actor, kind, connection=connection, detail=detail)


def pool(
    kind: EventKind, actor: str, ticket: int | None = None, figures: Figures | None = None
) -> Entry:
    return Entry(0.0, actor, kind, by_pool=True, ticket=ticket, figures=figures)


def in_log(*entries: Entry) -> list[str]:
    return [str(finding) for finding in findings_in_log(entries, ALL)]


def test_a_sound_pool_at_rest_violates_no_invariant() -> None:
    assert at_rest() == []


def test_more_acquired_than_released_is_a_leak() -> None:
    assert at_rest(released=4) == ["leak: 5 acquired, 4 released"]


def test_the_pool_must_agree_with_the_server() -> None:
    assert "wrong count: the pool counts 2 connections, the server 3" in at_rest(
        sockets=3, at_server=3
    )


def test_a_pool_need_not_have_noticed_that_the_test_killed_its_connections() -> None:
    assert at_rest(at_server=0, killed=2) == []


def test_a_connection_besides_the_killed_ones_is_reported() -> None:
    said = "wrong count: the server counts 0 connections, the process has 2 open"
    assert said in at_rest(at_server=0, killed=1)


def test_the_pool_must_agree_with_the_lab() -> None:
    assert compared() == []
    assert compared(timeouts=1) == ["wrong count: the pool counts 0 timeouts, the lab 1"]


def test_a_pool_may_count_acquires_that_were_interrupted_after_it_had_served_them() -> None:
    assert compared(failed=1, acquired=4, released=4) == []
    assert len(compared(failed=1, acquired=3, released=3)) == 2


def test_a_socket_unknown_to_the_server_is_reported() -> None:
    said = ["wrong count: the server counts 2 connections, the process has 3 open"]
    assert at_rest(sockets=3) == said


def test_one_connection_too_many_at_any_moment_is_reported() -> None:
    assert at_rest(peak=4) == ["over limit: the pool had 4 connections open at once and may have 3"]


def test_a_pool_without_limit_may_have_any_number() -> None:
    assert at_rest(peak=40, most=None) == []


def test_connections_are_conserved() -> None:
    assert len(at_rest(created=4)) == 1
    assert len(at_rest(pool_size=1)) == 1


def test_two_holders_of_one_connection_are_reported() -> None:
    said = in_log(
        lab(EventKind.CHECKED_OUT, "first", 7),
        lab(EventKind.CHECKED_OUT, "second", 7),
    )
    assert said == ["two holders: connection 7 went to second while first held it"]


def test_one_holder_after_another_is_no_violation() -> None:
    assert not in_log(
        lab(EventKind.CHECKED_OUT, "first", 7),
        lab(EventKind.CHECKED_IN, "first", 7),
        lab(EventKind.CHECKED_OUT, "second", 7),
    )


def test_a_dirty_connection_is_reported() -> None:
    said = in_log(lab(EventKind.CHECKED_OUT, "first", 7, "an open transaction"))
    assert said == ["dirty hand-out: connection 7 came to first with an open transaction"]


def test_waiting_while_a_connection_is_idle_is_reported() -> None:
    said = in_log(pool(EventKind.CHECKED_IN, "first", figures=Figures(idle=1, waiting=1, total=1)))
    assert len(said) == 1
    assert "1 waiting while 1 idle" in said[0]


def test_a_finding_shows_the_events_of_its_defect() -> None:
    first = lab(EventKind.CHECKED_OUT, "first", 7)
    second = lab(EventKind.CHECKED_OUT, "second", 7)
    (finding,) = findings_in_log([lab(EventKind.CHECKED_OUT, "main", 6), first, second], ALL)
    assert finding.defect is Defect.TWO_HOLDERS
    assert finding.events == (first, second)
    assert finding.lines() == [str(finding), f"    {first}", f"    {second}"]


def test_a_dirty_hand_out_shows_the_release_before_it() -> None:
    released = lab(EventKind.CHECKED_IN, "first", 7)
    dirty = lab(EventKind.CHECKED_OUT, "second", 7, "an open transaction")
    (finding,) = findings_in_log([lab(EventKind.CHECKED_OUT, "first", 7), released, dirty], ALL)
    assert finding.events == (released, dirty)
