"""Checks that an adapter has the attributes that its capabilities require."""

from collections.abc import Iterator, Mapping

from poolspec.vocabulary import Capability

Needs = Mapping[Capability, tuple[str, ...]]

NEEDS: Needs = {
    Capability.ASYNCIO: ("asyncio",),
    Capability.CONFIGURATION: ("open",),
    Capability.DRAIN: ("controls.drain",),
    Capability.HEALTH: ("controls.health",),
    Capability.HOUSEKEEPING: ("controls.keep",),
    Capability.LEAK_DETECTION: ("controls.loans",),
    Capability.LOGS: ("logs",),
    Capability.MAINTENANCE: ("controls.maintain",),
    Capability.METRICS: ("meter",),
    Capability.OPTIMISTIC_LOCKING: ("controls.expect_one",),
    Capability.RESIZE: ("controls.resize",),
    Capability.SUSPEND: ("controls.suspend", "controls.resume"),
    Capability.TRANSACTIONS: ("controls.transaction",),
}
"""Required attributes of the threads form, by capability."""
ASYNCIO_NEEDS: Needs = {
    able: needs for able, needs in NEEDS.items() if able is not Capability.ASYNCIO
}
"""Required attributes of the asyncio form, by capability."""
MAY_BE_NONE = frozenset({"asyncio"})
"""Attributes that may be None: the package for them may be missing."""


def unmet(adapter: object, able: frozenset[Capability], needs: Needs) -> Iterator[str]:
    """Yield each capability whose attribute is missing."""
    for capability in sorted(able & needs.keys()):
        for path in needs[capability]:
            missing = _missing(adapter, path)
            if missing:
                yield f"`{capability}` without `{missing}`"
                break


def _missing(adapter: object, path: str) -> str:
    """Return the first missing part of a path; empty if there is none."""
    found, seen = adapter, ""
    for name in path.split("."):
        seen = f"{seen}.{name}".removeprefix(".")
        if not hasattr(found, name):
            return seen
        found = getattr(found, name)
        if found is None and seen not in MAY_BE_NONE:
            return seen
    return ""
