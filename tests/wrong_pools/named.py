"""The wrong pools that show each defect, in both concurrency modes."""

from tests.wrong_pools.faults import WRONG, WrongPool

from poolspec.vocabulary import Defect

_SHOWN_BY = {
    Defect.LEAK: ("IgnoresReleases", "AsyncIgnoresReleases"),
    Defect.OVER_LIMIT: ("OpensOneTooMany",),
    Defect.TWO_HOLDERS: ("HandsOutTwice",),
    Defect.DIRTY_HAND_OUT: ("NeverRollsBack", "AsyncNeverRollsBack"),
    Defect.STARVATION: ("ServesTheLastFirst",),
    Defect.LOST_WAKE_UP: ("WakesNoWaiter",),
    Defect.LOST_SLOT: (
        "LosesASlotWhenInterrupted",
        "LosesTheTurnOfACancelledWaiter",
    ),
    Defect.HEAD_OF_LINE_BLOCKING: ("ConnectsUnderItsLock", "AsyncConnectsUnderItsLock"),
    Defect.DEADLOCK: ("WaitsUnderItsLock", "AsyncWaitsUnderItsLock"),
    Defect.LOST_WRITE: ("CommitsNothing", "AsyncCommitsNothing"),
    Defect.EXPOSED_PASSWORD: ("QuotesItsPassword", "AsyncQuotesItsPassword"),
}


def named() -> list[tuple[Defect, WrongPool]]:
    """Return each defect with each pool that shows it."""
    return [
        (defect, wrong)
        for defect, names in _SHOWN_BY.items()
        for wrong in WRONG
        if wrong.name in names
    ]
