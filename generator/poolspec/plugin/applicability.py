"""Whether a test applies: what it needs of pool and server must be there."""

from importlib.util import find_spec
from typing import Any

import pytest

from poolspec.plugin.results import NEEDS, NOT_APPLICABLE
from poolspec.vocabulary import Capability


def skip_unless_able(spec: dict[str, Any], able: frozenset[Capability]) -> None:
    """Skip a test that needs what is not there."""
    missing = sorted(set(spec.get("needs", ())) - able)
    if missing:
        pytest.skip(f"{NOT_APPLICABLE}{NEEDS}{', '.join(map(_with_hint, missing))}")


def _with_hint(need: str) -> str:
    """Name a capability, and the package that it takes where that is not installed."""
    if need != Capability.METRICS or (
        find_spec("opentelemetry") and find_spec("opentelemetry.sdk")
    ):
        return need
    return f"{need} (install opentelemetry-sdk)"
