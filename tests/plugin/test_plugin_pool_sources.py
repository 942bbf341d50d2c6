"""What `poolspec validate` accepts about pools runs, and it refuses the rest.

The tests here are made from the registry: each step and each expectation about a pool, with each
way in which a test may have pools, with the pool named and not named.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tests.plugin.runs import Run

from poolspec.errors import Problem, SpecErrors
from poolspec.expectations.registry import KINDS as EXPECTATIONS
from poolspec.load import load_class_text
from poolspec.rendering.generate import generate_modules
from poolspec.spec.values import Step
from poolspec.steps.kind import KINDS

OPTIONS = "{size: 1, max_overflow: 0, min_size: 0, timeout: 1s}"
FAILED = "{open: x, invalid_options: {size: -1}, fails: config}"
HEAD = "spec: 1\nclass: Sources\npurpose: p\ntests:\n"
NUMBER = re.compile(r"\bt([0-9]+)\b")
UNCLEAR = ("has its own pool only if it describes one", "is about one pool, and")
ANY = "{server: {connections: <= 100}}"
"""An expectation that always holds here."""


@dataclass(frozen=True)
class Source:
    """One way in which a test may have pools."""

    own: bool
    """It has one of its own, which an unnamed step is about."""
    made: tuple[str, ...] = ()
    """The steps that make pools."""
    labels: tuple[str, ...] = ()
    distinct: int = 0
    """How many pools its steps make."""

    @property
    def means_one(self) -> bool:
        """An unnamed expectation can mean one pool only."""
        return self.own or self.distinct == 1


def making(verb: str, label: str) -> str:
    return f"{{{verb}: {label}, options: {OPTIONS}}}"


MAKE, OPEN, GLOBAL = (making(verb, "p") for verb in ("make_pool", "open", "global_pool"))
MORE, AGAIN = making("make_pool", "q"), making("global_pool", "q")
SOURCES = {
    "its own": Source(True),
    "its own and another": Source(True, (MAKE,), ("p",), 1),
    "its own and an opened one": Source(True, (OPEN,), ("p",), 1),
    "its own and the default pool": Source(True, (GLOBAL,), ("p",), 1),
    "its own and one that failed": Source(True, (FAILED,)),
    "another": Source(False, (MAKE,), ("p",), 1),
    "an opened one": Source(False, (OPEN,), ("p",), 1),
    "two others": Source(False, (OPEN, MORE), ("p", "q"), 2),
    "the default pool twice": Source(False, (GLOBAL, AGAIN), ("p", "q"), 1),
    "the default pool and another": Source(False, (GLOBAL, MORE), ("p", "q"), 2),
    "one that failed": Source(False, (FAILED,)),
}

FROM = {
    "acquire": "[{acquire: a%s}, release: a]",
    "release": "[{acquire: a%s}, release: a]",
    "with": "[{with: a%s}]",
    "transaction": "[{transaction: a%s}]",
    "enter": "[{enter: a%s}, leave: a]",
    "leave": "[{enter: a%s}, leave: a]",
    "abandon": "[{enter: a, in: generator%s}, abandon: a]",
    "reconnect": "[{acquire: a%s}, reconnect: a, release: a]",
    "close": "[{close: {drain: 1s}%s}]",
    "resize": "[{resize: {size: 2}%s}]",
    "load": "[{load: l, clients: 1, each: 1%s}]",
}
"""Steps that name their pool by `from`, or whose connection does."""
VALUE = {
    "close": "[close%s]",
    "close_all": "[close_all%s]",
    "suspend": "[suspend%s]",
    "resume": "[suspend%s, resume%s]",
    "inspect": "[inspect%s]",
    "maintain": "[maintain%s]",
}
"""Steps whose value is their pool."""
ANY_POOL = {"wait_until": "[{wait_until: 0 actors are holding%s}]"}
"""Steps that are about any pool unless they name one."""
OWN_ONLY = {
    "interrupt_everywhere": "[{interrupt_everywhere: [acquire: x, release: x]}]",
    "reenter": "[{reenter: [inspect], during: [acquire: x, release: x], by: listener}]",
}
"""Steps that are about the test's own pool."""
EXPECTED = {
    "stats": "{in_use: 0}",
    "server": "{connections: <= 100}",
    "events": "{in_order: [pool_created]}",
    "health": "healthy",
    "loans": "[]",
    "metrics": "{used: 0}",
}
QUEUED = (
    "{acquire: h%s}, {start: {w: [{acquire: x%s}, release: x]}}, wait_until: w is waiting, "
    "release: h, join: w"
)


@dataclass(frozen=True)
class Case:
    """One test, and whether it is valid."""

    what: str
    source: Source
    steps: str
    expect: str
    valid: bool

    def text(self, number: int) -> str:
        own = f"    pool: {OPTIONS}\n" if self.source.own else ""
        made = ", ".join((*self.source.made, *([self.steps[1:-1]] if self.steps != "[]" else [])))
        return (
            f"  t{number}:\n    purpose: {self.what}\n    validates: v\n    covers: []\n{own}"
            f"    steps: [{made}]\n    expect: {self.expect}\n"
        )


def cases() -> Iterator[Case]:
    for name, source in SOURCES.items():
        for pool in ("", *source.labels):
            by = f", from: {pool}" if pool else ""
            value = f": {pool}" if pool else ""
            words = f"with {name}, {pool or 'no'} pool named, the"
            named = bool(pool) or source.own
            for verb, steps in FROM.items():
                yield Case(f"{words} step {verb}", source, steps % by, ANY, named)
            for verb, steps in VALUE.items():
                text = steps.replace("%s", value)
                yield Case(f"{words} step {verb} by value", source, text, ANY, named)
            for verb, steps in ANY_POOL.items():
                yield Case(f"{words} step {verb}", source, steps % by, ANY, True)
            for verb, steps in OWN_ONLY.items():
                if not pool:
                    yield Case(f"{words} step {verb}", source, steps, ANY, source.own)
            yield from of_expectations(source, pool, words)


def of_expectations(source: Source, pool: str, words: str) -> Iterator[Case]:
    for key, value in EXPECTED.items():
        valid = bool(pool) or source.means_one or key == "server"
        said = f"{words} expectation {key}"
        expect = f"{{{key}: {value}}}"
        step = f"[{{expect: {{{f'from: {pool}, ' if pool else ''}{key}: {value}}}}}]"
        yield Case(f"{said} in a step", source, step, ANY, valid)
        at_end = f"{{{pool}: {expect}}}" if pool else expect
        yield Case(f"{said} at the end", source, "[]", at_end, valid)
    holder = pool or ("" if source.own else "".join(source.labels[:1]))
    if holder or source.own:
        by = f", from: {holder}" if holder else ""
        served = f"{{{pool}: {{served: [w]}}}}" if pool else "{served: [w]}"
        yield Case(f"{words} expectation served", source, f"[{QUEUED % (by, by)}]", served, True)
        fault = f"{{fault: idle_killed{f', from: {pool}' if pool else ''}}}"
        steps = f"[{{acquire: a{by}}}, release: a, {fault}]"
        yield Case(f"{words} step fault", source, steps, ANY, True)


CASES = list(cases())
RUN = [
    case
    for name, chosen in (
        *(("its own and another", None), ("its own and an opened one", "p")),
        *(("its own and the default pool", "p"), ("another", "no"), ("two others", "q")),
        *(("the default pool twice", "no"), ("its own and one that failed", "no")),
    )
    for case in CASES
    if case.valid
    and case.source is SOURCES[name]
    and (chosen is None or f", {chosen} pool named," in case.what)
]
"""The valid tests that run: each step on each kind of pool, beside the test's own and without."""
AT_ONCE = 20
"""As many tests have no more problems than a report shows."""


def whole(chosen: list[Case]) -> str:
    return HEAD + "".join(case.text(number) for number, case in enumerate(chosen))


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        load_class_text(text.encode(), PurePosixPath("specs/sources.yaml"))
    except SpecErrors as found:
        return found.problems
    return ()


def test_each_step_about_a_pool_has_a_case() -> None:
    about_pools = {
        verb
        for verb, kind in KINDS.items()
        if kind.model.own_pool is not Step.own_pool or "from" in kind.place.names
    }
    assert about_pools == {*FROM, *VALUE, *ANY_POOL, "fault", "lose_loop"}


def test_each_expectation_about_a_pool_has_a_case() -> None:
    assert {kind.name for kind in EXPECTATIONS if kind.of_pool} == {*EXPECTED, "served"}


def test_a_test_is_invalid_if_it_is_not_clear_which_pool_it_is_about() -> None:
    invalid = [case for case in CASES if not case.valid]
    for start in range(0, len(invalid), AT_ONCE):
        chosen = invalid[start : start + AT_ONCE]
        problems = problems_of(whole(chosen))
        found = (NUMBER.search(one.key_path) for one in problems)
        reported = {int(number[1]) for number in found if number}
        assert [case.what for n, case in enumerate(chosen) if n not in reported] == []
        messages = [problem.message for problem in problems]
        assert [one for one in messages if not any(text in one for text in UNCLEAR)] == []
    assert len(invalid) > 100


def test_a_test_is_valid_if_it_is_clear_which_pool_it_is_about() -> None:
    assert problems_of(whole([case for case in CASES if case.valid])) == ()


def test_each_valid_test_runs(run: Run, tmp_path: Path) -> None:
    text = whole(RUN)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "sources.yaml").write_text(text)
    spec = load_class_text(text.encode(), PurePosixPath("specs/sources.yaml"))
    for name, module in generate_modules([spec])[0].items():
        (tmp_path / name).write_text(module)
    run.pytest("--server", "embedded", "-q", "--tb=line", *map(str, tmp_path.glob("test_*.py")))
    assert run.code == 0, run.output[-5000:]
