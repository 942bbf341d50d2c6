"""The typed API example uses every public name; mypy checks it."""

import ast
from pathlib import Path

import steadypool
import steadypool.testing

API = Path(__file__).parents[1] / "typing_api.py"


def test_every_public_name_is_used_in_the_typed_example() -> None:
    tree = ast.parse(API.read_text(encoding="utf-8"))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert used >= {*steadypool.__all__, *steadypool.testing.__all__}


def test_every_public_name_is_there_and_explained() -> None:
    for name in steadypool.__all__:
        if name != "Listener":  # an alias, explained where it is defined
            assert getattr(steadypool, name).__doc__
