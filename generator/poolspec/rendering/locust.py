"""Exports a load of a spec as a Locust file, which drives it from many machines.

The file is a fixed text with one literal for each value of the spec. Locust ends a run by time, so
the number of operations is left out. A load with a key that Locust cannot follow is refused.
"""

import pprint
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from poolspec.folders import make_folder
from poolspec.model import SpecClass, SpecTest
from poolspec.python import names
from poolspec.rendering.formatting import format_folder
from poolspec.spec.values import Ref, walk
from poolspec.steps.load import Load
from poolspec.vocabulary import Arrivals, Operation

TABLE = "load_rows"
CREATE = f"CREATE TABLE {TABLE} (number INTEGER PRIMARY KEY, client INTEGER NOT NULL)"
INSERT = f"INSERT INTO {TABLE} VALUES (%(number)s, %(client)s)"
COUNT = (
    f"SELECT client, COUNT(*) FROM (SELECT client FROM {TABLE} ORDER BY number DESC LIMIT 100) "
    "AS latest GROUP BY client"
)
USUAL: Mapping[Operation, tuple[str, ...]] = {
    Operation.BORROW: (),
    Operation.READ: ("SELECT 1",),
    Operation.WRITE: (INSERT,),
    Operation.COMPLEX: (INSERT, COUNT),
}
"""The statements of each kind, as the lab runs them."""
HOOKS = ("setup", "on_acquire", "on_release", "listener", "housekeeping")
"""Options of a pool that only a lab can give it."""


class ExportError(Exception):
    """A load cannot be exported; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A load, and the test that it is part of."""

    spec: SpecClass
    test: SpecTest
    load: Load

    @property
    def name(self) -> str:
        """Its name: `performance.mixed_load.traffic`."""
        return f"{self.spec.stem}.{self.test.name}.{self.load.label}"


def loads_of(spec: SpecClass) -> Iterator[Exported]:
    """Yield the loads of a class."""
    for test in spec.tests:
        for step in walk(test.steps):
            if isinstance(step, Load):
                yield Exported(spec, test, step)


def locust_file(exported: Exported) -> str:
    """Return the text of a Locust file. Raises ExportError."""
    _refuse(exported)
    load = exported.load
    low_high = (0.0, 0.0)
    constants: dict[str, Any] = {
        "clients": load.clients,
        "duration": load.duration,
        "ramp": load.ramp or 0,
        "warm_up": load.warm_up,
        "rate": load.rate,
        "mix": {str(kind): share for kind, share in _mix(load)},
        "hold": load.hold or low_high,
        "think": load.think or low_high,
        "timeout": load.timeout,
        "options": dict(exported.test.pool),
        "tables": {table.name: table.create for table in exported.test.tables}
        | ({TABLE: CREATE} if _uses_table(load) else {}),
        "statements": {str(kind): list(texts) for kind, texts in _statements(load).items()},
    }
    return _formatted(
        _template().render(
            source=names.source_path(exported.spec.path),
            name=exported.name,
            docstring=f"The load {exported.name} for Locust.",
            **{name: pprint.pformat(value, width=90) for name, value in constants.items()},
        )
    )


def _mix(load: Load) -> tuple[tuple[Operation, int], ...]:
    return load.counts or load.mix


def _statements(load: Load) -> Mapping[Operation, tuple[str, ...]]:
    own = dict(load.statements)
    return {
        kind: tuple(map(_with_parameters, own[kind])) if kind in own else USUAL[kind]
        for kind, _ in _mix(load)
    }


def _with_parameters(statement: str) -> str:
    """Return a statement of a spec as PyMySQL takes it."""
    escaped = statement.replace("%", "%%")
    return escaped.replace(":number", "%(number)s").replace(":client", "%(client)s")


def _uses_table(load: Load) -> bool:
    own = dict(load.statements)
    usual = {kind for kind, _ in _mix(load) if kind not in own}
    return bool(usual & {Operation.WRITE, Operation.COMPLEX})


def _refuse(exported: Exported) -> None:
    """Raise ExportError for a load that Locust cannot follow."""
    load = exported.load
    wrong = [why for holds, why in _obstacles(load) if holds]
    wrong += [
        f"the pool's option {name!r} exists in a lab only"
        for name, _ in exported.test.pool
        if name in HOOKS
    ]
    values = (load, *(value for _, value in exported.test.pool))
    parameters = sorted({ref.name for value in values for ref in _refs(value)})
    wrong += [f"${name} has no value outside of its test's matrix" for name in parameters]
    if wrong:
        raise ExportError(f"{exported.name} cannot be exported: {'; '.join(wrong)}")


def _obstacles(load: Load) -> Iterator[tuple[bool, str]]:
    yield (
        bool(load.requests),
        "it sends requests to a web application, so use an HttpUser of Locust",
    )
    yield load.pool is not None, "it borrows from a pool that a step opens"
    yield load.arrivals is not Arrivals.EVEN, "its arrivals are not even"
    yield load.rate is not None and load.ramp is not None, "its rate has a ramp"
    yield isinstance(load.warm_up, int) and load.warm_up > 0, "its warm_up is not a duration"


def _refs(value: object) -> Iterator[Ref]:
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, Load):
        for name in value.__dataclass_fields__:
            yield from _refs(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _refs(item)


@cache
def _template() -> Any:
    loader = PackageLoader("poolspec.rendering")
    environment = Environment(loader=loader, undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.get_template("locust.py.j2")


def _formatted(text: str) -> str:
    with make_folder() as folder:
        file = folder / "locustfile.py"
        file.write_text(text, encoding="utf-8")
        format_folder(folder)
        return file.read_text(encoding="utf-8")
