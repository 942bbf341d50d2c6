"""Refuses files that share a file name, a class or a generated module."""

import re
from collections.abc import Sequence
from contextlib import suppress

from poolspec.errors import shown
from poolspec.loading.finding import model_path
from poolspec.spec.source import Refused, Source

_CLASS = re.compile(r"^[\"']?class[\"']? *: *([^\s#]+)", re.MULTILINE)


def refuse_twins(files: Sequence[Source], names: Sequence[str]) -> None:
    """No two files have one stem, for it names what is made of them; no two classes one name."""
    seen: dict[str, str] = {}
    for source, name in zip(files, names, strict=True):
        taken = [f"file name {shown(model_path(source.path).stem)}"]
        taken += [f"class {shown(name)}"] if name else []
        for word in taken:
            first = seen.setdefault(word, source.path)
            if first != source.path:
                _refuse_twin(source, word, f"the {word} is taken by {first}")


def refuse_same_modules(files: Sequence[Source], modules: Sequence[list[str]]) -> None:
    """Refuse `x_asyncio.yaml` beside `x.yaml` if the asyncio form of `x` has the same module."""
    seen: dict[str, Source] = {}
    for source, names in zip(files, modules, strict=True):
        for name in names:
            first = seen.setdefault(name, source)
            if model_path(first.path).stem != model_path(source.path).stem:
                with suppress(Refused):
                    message = f"{first.path} is generated into the same module, {name}"
                    source.report(1, 1, message, hint="rename one of the two files", width=1)


def _refuse_twin(source: Source, word: str, message: str) -> None:
    """Report a class where it is named, a file name at the top of the file."""
    found = _CLASS.search(source.text) if word.startswith("class") else None
    line, column, width = 1, 1, 1
    if found:
        line = source.text.count("\n", 0, found.start()) + 1
        column, width = found.start(1) - found.start() + 1, len(found[1])
    with suppress(Refused):
        source.report(line, column, message, hint="choose another one", width=width)
