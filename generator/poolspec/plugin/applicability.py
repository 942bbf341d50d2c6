"""Decides whether a test applies: the pool and the server must have every capability it needs."""

from importlib.util import find_spec
from typing import Any

import pytest

from poolspec.vocabulary import Capability
from poolspec.vocabulary.outcomes import NEEDS, NOT_APPLICABLE


def skip_unless_able(spec: dict[str, Any], able: frozenset[Capability]) -> None:
    """Skip a test if a capability that it needs is missing."""
    missing = sorted(set(spec.get("needs", ())) - able)
    if missing:
        pytest.skip(f"{NOT_APPLICABLE}{NEEDS}{', '.join(map(_with_hint, missing))}")


def _with_hint(need: str) -> str:
    """Return a capability, with the package to install or the reason, if there is one."""
    if need in (Capability.TIMEOUT, Capability.CALL_TIMEOUT):
        return f"{need} (the lab cannot end the wait of a thread)"
    if need == Capability.TLS and not find_spec("trustme"):
        return f"{need} (install trustme)"
    if need != Capability.METRICS or (
        find_spec("opentelemetry") and find_spec("opentelemetry.sdk")
    ):
        return need
    return f"{need} (install opentelemetry-sdk)"
