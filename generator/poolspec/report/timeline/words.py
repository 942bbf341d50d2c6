"""A time line in words: the description of its picture, and the units of its table."""

from collections.abc import Iterator

from poolspec.report.timeline.reading import Band, Course, Timeline
from poolspec.report.timeline.scale import unit_for
from poolspec.steps.fault_kinds import FAULTS
from poolspec.vocabulary import Fault
from poolspec.vocabulary.timeline import Series, Total


def lasts(fault: str) -> bool:
    """Return whether a fault lasts until it is healed, as far as its name is known."""
    try:
        return bool(FAULTS[Fault(fault)].healed)
    except ValueError:
        return True


def described(timeline: Timeline) -> str:
    """Return one sentence for each pool, fault and kind of error."""
    return " ".join([*_pools(timeline), *_faults(timeline), *_errors(timeline)])


def moment(timeline: Timeline, at: float) -> str:
    """Return a time with its unit, in about three digits; or the number of an event."""
    if timeline.events:
        return f"event {at:.0f}"
    unit = unit_for(at)
    value = at / unit.seconds
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit.name}"


def _pools(timeline: Timeline) -> Iterator[str]:
    took = "no time" if timeline.events else moment(timeline, timeline.seconds)
    yield f"The test took {took}."
    for course in timeline.courses:
        yield _pool(course)
    if timeline.left_out:
        yield f"{timeline.left_out} more pools are left out."


def _pool(course: Course) -> str:
    most = {name: course.highest(name) for name in Series}
    limit = "no limit" if course.limit is None else f"a limit of {course.limit}"
    total = {name: course.counted(name, 0, len(course.at)) for name in Total}
    return (
        f"Pool {course.pool}, with {limit}: at most {most[Series.IN_USE]} connections in use, "
        f"{most[Series.IDLE]} idle, {most[Series.PENDING]} connecting, and "
        f"{most[Series.WAITING]} acquires waiting; {total[Total.ACQUIRED]:,} acquired, "
        f"{total[Total.RELEASED]:,} released, {total[Total.OPENED]:,} opened, and "
        f"{total[Total.CLOSED]:,} closed."
    )


def _faults(timeline: Timeline) -> Iterator[str]:
    for band in timeline.faults:
        yield f"Fault {band.fault.replace('_', ' ')} {_when(timeline, band)}."


def _when(timeline: Timeline, band: Band) -> str:
    if band.ended is None:
        since = "from" if lasts(band.fault) else "at"
        return f"{since} {moment(timeline, band.began)}{' to the end' if since == 'from' else ''}"
    return f"from {moment(timeline, band.began)} to {moment(timeline, band.ended)}"


def _errors(timeline: Timeline) -> Iterator[str]:
    for (_, error), marks in timeline.errors_by_kind().items():
        number = sum(mark.count for mark in marks)
        said = "1 error" if number == 1 else f"{number} errors"
        yield f"{said} of the kind {error}, the first at {moment(timeline, marks[0].at)}."
