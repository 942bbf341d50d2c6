"""What the plugin adds to the report of a test, for the collector and for JUnit files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from poolspec.plugin.header_reader import read_header

if TYPE_CHECKING:
    import pytest

    from poolspec.servers import Server


def as_property(name: str, value: object) -> tuple[str, str]:
    """Return a property of a report. It is JSON, for JUnit files show it as it is."""
    return f"poolspec_{name}", json.dumps(value, ensure_ascii=False)


def identity(item: pytest.Item, spec: dict[str, Any]) -> dict[str, str]:
    """Return what identifies a generated test in the results."""
    case = item.callspec.id if hasattr(item, "callspec") else ""
    group = item.parent.name.removeprefix("Test") if item.parent else ""
    concurrency = spec.get("concurrency", "threads")
    return {"id": spec["id"], "case": case, "group": group, "concurrency": concurrency}


def identity_by_name(root: Path, nodeid: str) -> dict[str, str] | None:
    """Return what identifies a test whose worker crashed and sent no report.

    None if its module is not generated.
    """
    module, group, name = [*nodeid.split("::", 2), "", ""][:3]
    header = read_header(root / module)
    if header is None:
        return None
    spec = Path(header.spec).stem
    function, _, case = name.partition("[")
    is_asyncio = Path(module).stem == f"test_{spec}_asyncio"
    return {
        "id": f"{spec}.{function.removeprefix('test_')}",
        "case": case.removesuffix("]"),
        "group": group.removeprefix("Test"),
        "concurrency": "asyncio" if is_asyncio else "threads",
    }


def describe(server: Server) -> dict[str, str]:
    """Return what the results say of a server."""
    return {
        "kind": server.kind.value,
        "description": server.description,
        "version": server.version,
        "note": server.note,
    }
