"""Baselines: the figures of the performance layer in several rounds, saved for later runs.

A round is one run of the performance layer, with a control beside each test. A baseline has the
figures of each round. It is comparable with a run of the same pool, server, Python and poolspec.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from poolspec.report.results import Results
from poolspec.schema.baseline import BASELINE_VERSION, baseline_schema
from poolspec.schema.check import faults

ENOUGH = 1000
"""A load with fewer operations is too short to measure."""


class BaselineError(Exception):
    """A baseline file does not fit its schema; the message names the place."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The pool and environment of a measurement; only figures of equal settings are comparable."""

    pool: str
    server: str
    python: str
    poolspec: str

    def differences(self, now: "Setting") -> list[str]:
        """Return in words how another setting differs."""
        pairs = [
            (one.name, getattr(self, one.name), getattr(now, one.name)) for one in fields(self)
        ]
        return [f"{name}: {was} then, {is_now} now" for name, was, is_now in pairs if was != is_now]


@dataclass(frozen=True, slots=True, order=True)
class Measured:
    """The load that was measured."""

    test: str
    case: str
    concurrency: str
    load: str
    """Its label."""

    def __str__(self) -> str:
        case = f"[{self.case}]" if self.case else ""
        return f"{self.test}{case} ({self.concurrency}), {self.load}"


@dataclass(frozen=True, slots=True)
class Round:
    """The figures of a load in one round, and those of its control."""

    throughput: float
    cpu: float
    control_throughput: float
    control_cpu: float


Rounds = Mapping[Measured, Sequence[Round]]


@dataclass(frozen=True, slots=True)
class Baseline:
    """The figures of one run."""

    setting: Setting
    rounds: Rounds


def rounds_of(all_results: Iterable[Results]) -> Rounds:
    """Return the figures of each load that is long enough to measure, round by round."""
    found: dict[Measured, list[Round]] = {}
    for results in all_results:
        for measured, figures in _measured(results):
            found.setdefault(measured, []).append(figures)
    return dict(sorted(found.items()))


def _measured(results: Results) -> Iterator[tuple[Measured, Round]]:
    for verdict in results.loaded:
        control = verdict.control
        for load in verdict.loads:
            if control and "cpu" in load and load["operations"] >= ENOUGH:
                key = Measured(verdict.test, verdict.case, verdict.concurrency.value, load["load"])
                yield (
                    key,
                    Round(load["throughput"], load["cpu"], control["throughput"], control["cpu"]),
                )


def baseline_text(baseline: Baseline) -> str:
    """Return a baseline as the text of its file."""
    loads = [
        {**asdict(measured), "rounds": [asdict(one) for one in rounds]}
        for measured, rounds in baseline.rounds.items()
    ]
    whole = {"schema": BASELINE_VERSION, **asdict(baseline.setting), "loads": loads}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def parse_baseline(text: str) -> Baseline:
    """Read the text of a baseline file. Raises BaselineError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"not JSON: {error}") from None
    if wrong := faults(found, baseline_schema()):
        first = wrong[0]
        raise BaselineError(f"{first.place or 'the file'}: {first.message}")
    setting = Setting(**{one.name: found[one.name] for one in fields(Setting)})
    return Baseline(setting, dict(map(_load, found["loads"])))


def _load(entry: Mapping[str, object]) -> tuple[Measured, list[Round]]:
    key = Measured(**{one.name: entry[one.name] for one in fields(Measured)})  # type: ignore[arg-type]
    return key, [Round(**one) for one in entry["rounds"]]  # type: ignore[attr-defined]
