"""What an adapter must have beside the methods of the contract, by the capabilities it claims."""

from collections.abc import Iterator, Mapping

from poolspec.vocabulary import Capability

Needs = Mapping[Capability, tuple[str, ...]]

NEEDS: Needs = {
    Capability.ASYNCIO: ("asyncio",),
    Capability.CONFIGURATION: ("open",),
    Capability.DRAIN: ("controls.drain",),
    Capability.FOREIGN_CONNECTIONS: ("foreign.plain", "foreign.scripted"),
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
"""Attributes of the adapter for threads."""
ASYNCIO_NEEDS: Needs = {
    able: needs
    for able, needs in NEEDS.items()
    if able not in (Capability.ASYNCIO, Capability.OPTIMISTIC_LOCKING)  # that is its `change_one`
}
"""Attributes of the adapter for asyncio."""
MAY_BE_NONE = frozenset({"asyncio"})
"""Where a package for it is not installed."""


def unmet(adapter: object, able: frozenset[Capability], needs: Needs) -> Iterator[str]:
    """Say which capability is claimed without what."""
    for capability in sorted(able & needs.keys()):
        for path in needs[capability]:
            missing = _missing(adapter, path)
            if missing:
                yield f"`{capability}` without `{missing}`"
                break


def _missing(adapter: object, path: str) -> str:
    """Return the first part of a path that is not there; empty if all of it is."""
    found, seen = adapter, ""
    for name in path.split("."):
        seen = f"{seen}.{name}".removeprefix(".")
        if not hasattr(found, name):
            return seen
        found = getattr(found, name)
        if found is None and seen not in MAY_BE_NONE:
            return seen
    return ""
