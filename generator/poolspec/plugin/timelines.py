"""Takes the time line of a test from its lab to the results, also from a worker's process."""

import json
from typing import Any, Protocol

import pytest

from poolspec.vocabulary.timeline import TIMED_LAYERS

_ATTRIBUTE = "poolspec_timeline"
"""The attribute of the test's report that carries it, as JSON, which passes between processes.

A property would be in JUnit files too.
"""


class _Lab(Protocol):
    """A lab in either concurrency mode."""

    def sizes(self) -> dict[str, Any]:
        """Return the pools' figures over the time of the test."""


def keep_timeline(report: pytest.TestReport, lab: _Lab, layer: str | None) -> None:
    """Keep the time line of a test of a layer that has them."""
    if layer in TIMED_LAYERS:
        setattr(report, _ATTRIBUTE, json.dumps(lab.sizes()))


def kept_timeline(report: pytest.TestReport) -> dict[str, Any] | None:
    """Return the time line of a test; None if it has none."""
    text = getattr(report, _ATTRIBUTE, None)
    return None if text is None else json.loads(text)
