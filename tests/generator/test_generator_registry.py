"""The registries are complete: a row says everything about its step, expectation or fault."""

import ast
import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from tests.suites import a_class, every_step

from poolspec.expectations.registry import KINDS as EXPECTATIONS
from poolspec.expectations.registry import Expectations
from poolspec.lab import AsyncLab, Lab
from poolspec.rendering.allowed import ALLOWED
from poolspec.rendering.render import render_module
from poolspec.spec.values import Step
from poolspec.steps.fault_kinds import FAULTS
from poolspec.steps.kind import KINDS, StepKind
from poolspec.vocabulary import Concurrency, Fault

SPECS = Path(__file__).parents[2] / "specs"


def models() -> set[type[Step]]:
    """The classes of steps from which no other class derives."""
    modules = [module for name, module in sys.modules.items() if name.startswith("poolspec.steps.")]
    values = [value for module in modules for value in vars(module).values()]
    found = {value for value in values if isinstance(value, type) and issubclass(value, Step)}
    return {one for one in found if not any(one in other.__mro__[1:] for other in found)}


def test_every_kind_of_step_has_one_row() -> None:
    found = [row.model for row in KINDS.values()]
    assert len(found) == len(set(found))
    assert set(found) == models()


def test_every_expectation_has_a_row_and_a_field_of_its_name() -> None:
    parts = {part.name for part in fields(Expectations)} - {"loads", "lines", "of", "others"}
    assert {row.name for row in EXPECTATIONS} == parts


def test_every_expectation_has_its_method_of_the_lab() -> None:
    for row in EXPECTATIONS:
        assert hasattr(Lab, row.call)
        assert hasattr(AsyncLab, row.call)


def test_every_fault_has_a_row() -> None:
    assert list(FAULTS) == list(Fault)


def test_every_fault_is_used_by_a_spec() -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in SPECS.glob("*.yaml"))
    assert set(re.findall(r"\bfault: (\w+)", texts)) >= set(Fault)


@pytest.mark.parametrize("row", KINDS.values(), ids=KINDS)
def test_the_keys_of_a_step_stand_in_its_row_once(row: StepKind[Step]) -> None:
    names = [key.name for key in row.keys]
    assert len(names) == len(set(names))
    assert not names or names[0] == row.verb
    assert {key.name for key in row.expects} <= {*names, row.verb}
    assert set(row.key_needs) <= set(names)


@pytest.mark.parametrize("concurrency", Concurrency)
def test_a_module_of_every_step_uses_no_word_that_the_rows_do_not_name(
    concurrency: Concurrency,
) -> None:
    tree = ast.parse(render_module(a_class(every_step((concurrency,))), concurrency))
    (body,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    (test,) = (node for node in body.body if isinstance(node, functions))
    inside = [node for statement in test.body for node in ast.walk(statement)]
    assert {node.attr for node in inside if isinstance(node, ast.Attribute)} <= ALLOWED
