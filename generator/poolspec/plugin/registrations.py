"""Checks at collection that the steps and web applications of generated tests are registered.

A spec names them (`use: rotate_password`, `web_app: visits`); the functions are registered in a
`conftest.py`. A missing one is an error of collection, as a failed import is, and no test runs.
"""

import ast
from collections.abc import Iterable, Iterator

import pytest

from poolspec.vocabulary import Capability, Concurrency

USE, WEB_APP = "use", "web_app"
"""The methods of a lab that take a registered name."""


def missing_registrations(
    collector: pytest.Collector, items: Iterable[object], pool: str
) -> list[str]:
    """Return an error for each name that tests of a class use and no function is registered for."""
    text = collector.path.read_text(encoding="utf-8") if collector.path.suffix == ".py" else ""
    if f"lab.{USE}(" not in text and f"lab.{WEB_APP}(" not in text:
        return []
    used = _used_names(ast.parse(text), collector.name)
    functions = [item for item in items if isinstance(item, pytest.Function)]
    errors = (error for item in functions for error in _errors(item, used, pool))
    return list(dict.fromkeys(errors))


def _used_names(module: ast.Module, class_name: str) -> dict[str, list[tuple[str, str]]]:
    """Return the method and the name of each such call, by the test that makes it."""
    of_class = (node for node in module.body if isinstance(node, ast.ClassDef))
    body = (test for node in of_class if node.name == class_name for test in node.body)
    tests = (test for test in body if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef))
    return {test.name: list(_calls(test)) for test in tests}


def _calls(test: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(test):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="lab"), attr=("use" | "web_app") as method),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield method, name


def _errors(
    item: pytest.Function, used: dict[str, list[tuple[str, str]]], pool: str
) -> Iterator[str]:
    from poolspec.lab.steps import find_step
    from poolspec.lab.web_apps import find_web_app

    marker = item.get_closest_marker("spec")
    if marker is None:
        return
    concurrency = Concurrency(marker.kwargs.get("concurrency", Concurrency.THREADS))
    for method, name in used.get(item.originalname, ()):
        try:
            if method == USE:
                find_step(name)
            elif Capability.WEB_APP in _capabilities(pool, concurrency):
                find_web_app(name, concurrency)
        except LookupError as error:
            yield f"{marker.args[0]}: {error}"


def _capabilities(pool: str, concurrency: Concurrency) -> frozenset[Capability]:
    """Return what the pool under test can do in this form; nothing if it has not got the form."""
    from poolspec.adapters import find_pool

    return find_pool(pool).capabilities(concurrency)
