"""Check files by the published schemas alone, as an editor or another tool does.

A file is a spec file, or a results file. A schema knows keys, types and words. Names, references
and the sense of a test only `poolspec.load` knows.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from poolspec.errors import Problem, SpecErrors
from poolspec.loading.files import place_of
from poolspec.loading.finding import absolute, find_files
from poolspec.schema.check import Fault, faults
from poolspec.schema.results import results_schema
from poolspec.schema.specs import json_schema
from poolspec.spec.fields import Json, Reader, Wrong
from poolspec.spec.fragments import place_schema
from poolspec.spec.scalars import resolve
from poolspec.spec.source import Refused, Source, read_source
from poolspec.spec.tree import Mapping, Node, parse
from poolspec.spec.tree import Sequence as Items

_RESULTS_ENDING = ".json"


def check_files(paths: Sequence[Path], *, root: Path) -> int:
    """Check spec files, and results files that end in `.json`; return how many there are.

    Raises SpecErrors with every difference of every file.
    """
    problems: list[Problem] = []

    def refuse(path: Path, message: str, hint: str) -> None:
        problems.append(Problem(_shown(path, root), 0, 0, "", message, hint))

    results = [path for path in paths if path.suffix == _RESULTS_ENDING]
    specs = find_files([path for path in paths if path not in results], refuse)
    for path in (*specs, *results):
        source = read_source(path, _shown(path, root))
        _check(source)
        problems += source.problems
    if problems:
        raise SpecErrors(problems)
    return len(specs) + len(results)


def _shown(path: Path, root: Path) -> str:
    whole = absolute(path)
    return (whole.relative_to(root) if whole.is_relative_to(root) else path).as_posix()


def _check(source: Source) -> None:
    tree = parse(source) if source.text and not source.problems else None
    if tree is None:
        return
    reader = Reader(source, tree)
    try:
        schema = results_schema() if source.path.endswith(_RESULTS_ENDING) else spec_schema(tree)
        for fault in faults(values(tree), schema):
            reader.problem(_node(tree, fault), fault.message, fault.hint)
    except Wrong as wrong:
        reader.wrong(wrong)
    except Refused:
        return


def spec_schema(tree: Node) -> Json:
    """Return the schema of spec files, for the kind that a file is of. Raises Wrong."""
    whole = json_schema()
    return {"definitions": whole["definitions"], **place_schema(place_of(tree))}


def values(node: Node) -> Any:
    """Return the values of a document, without their places. Raises Wrong."""
    if isinstance(node, Mapping):
        return {head.text: values(value) for head, value in node.pairs}
    if isinstance(node, Items):
        return [values(item) for item in node.items]
    try:
        return resolve(node)
    except ValueError as error:
        raise Wrong(node, str(error)) from None


def _node(tree: Node, fault: Fault) -> Node:
    """Return the node that a fault is about; of an unknown key, the key."""
    node = tree
    for part in fault.path:
        if isinstance(node, Items) and isinstance(part, int):
            node = node.items[part]
        elif isinstance(node, Mapping):
            head, value = next(pair for pair in node.pairs if pair[0].text == part)
            node = head if fault.of_key and part is fault.path[-1] else value
    return node
