"""YAML text → a tree of nodes, each knowing its line and column.

Only the plain part of YAML is let in: one document, mappings with distinct scalar keys, sequences
and scalars, nested no deeper than a person would. Anchors, aliases and tags are refused; so there
is nothing to expand, and the tree is never larger than the text. What a plain scalar means is not
decided here: `on` stays a word.

The events come from libyaml where PyYAML was built with it, else from PyYAML's own parser.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from poolspec.errors import shown
from poolspec.spec.source import Refused, Source

MAX_DEPTH = 20
_YAML_TAG = "tag:yaml.org,2002:"
"""The parser's text for `!!`."""


class Scalar:
    """A single value as it was written; `plain` if without quotes. Positions count from 1."""

    __slots__ = ("column", "line", "plain", "text")

    def __init__(self, text: str, plain: bool, line: int, column: int) -> None:
        self.text: Final = text
        self.plain: Final = plain
        self.line: Final = line
        self.column: Final = column


class Part(Scalar):
    """One word of a scalar, with its own column; its key path is that of the whole scalar."""

    __slots__ = ("whole",)

    def __init__(self, text: str, whole: "Node", column: int) -> None:
        super().__init__(text, True, whole.line, column)
        self.whole: Final = whole


class Sequence:
    """A list."""

    __slots__ = ("column", "items", "line")

    def __init__(self, items: "list[Node]", line: int, column: int) -> None:
        self.items: Final = items
        self.line: Final = line
        self.column: Final = column


class Mapping:
    """Keys with their values, in the order of the file; no key is there twice."""

    __slots__ = ("column", "line", "pairs")

    def __init__(self, pairs: "list[tuple[Scalar, Node]]", line: int, column: int) -> None:
        self.pairs: Final = pairs
        self.line: Final = line
        self.column: Final = column


Node = Scalar | Sequence | Mapping

_Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HINTS = (
    (r"mapping values are not allowed", "put a text that contains ': ' in quotes"),
    (r"block scalar", 'put a comparison in quotes: ">= 2"'),
    (r"cannot start any token", "put a text that starts with this character in quotes"),
    (r"expected '-'", "begin each item of a list with '- ', and indent its keys alike"),
    (r"expected <block end>", "indent the keys of one mapping alike"),
    (r"did not find expected key", "indent the keys of one mapping alike"),
    (r"could not find expected ':'", "a key is followed by a colon and a space"),
    (r"node content", "close what is opened on a line with ] or }; put other signs in quotes"),
    (r"quoted scalar", "close the quotes"),
    (r"',' or", "a list or mapping that is opened on a line must be closed: ] or }"),
)
_UNCLOSED = re.compile("flow|quoted")
"""Words in the context of an error about something that is not closed."""


def parse(source: Source) -> Node | None:
    """The document in a source; None, with problems reported, if it is not one of ours."""
    try:
        return _parse(source)
    except Refused:
        return None


def _parse(source: Source) -> Node | None:
    try:
        return _Composer(source).document()
    except yaml.MarkedYAMLError as error:
        _report_syntax(source, error)
    except yaml.YAMLError as error:
        source.report(1, 1, f"not valid YAML: {error}")
    return None


def paths(root: Node) -> dict[int, str]:
    """The key path of every node, and of every key, by the identity of the node."""
    return dict(_walk(root, ""))


class _Composer:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._parser = _Parser(source.text.encode())

    def document(self) -> Node | None:
        """Compose the one document that a file must hold."""
        next_event = self._parser.get_event
        next_event()
        if isinstance(event := next_event(), yaml.StreamEndEvent):
            raise self._source.refuse(0, 0, "the file is empty", "a spec starts with: spec: 1")
        node = self._node(next_event(), 1)
        next_event()
        if not isinstance(event := next_event(), yaml.StreamEndEvent):
            raise self._refuse(event, "a second document", "one file holds one document: no ---")
        return node

    def _node(self, event: Any, depth: int) -> Node:
        kind = type(event)
        mark = event.start_mark
        if kind is yaml.AliasEvent:
            raise self._refuse(
                event, "an alias", "write the value out: the language has no aliases"
            )
        if event.anchor is not None:
            raise self._refuse(event, "an anchor", "leave it out: the language has no anchors")
        if event.tag is not None:
            raise self._refuse(event, *_tag_error(event.tag))
        if kind is yaml.ScalarEvent:
            return self._scalar(event)
        if depth > MAX_DEPTH:
            raise self._refuse(event, f"nested deeper than {MAX_DEPTH} levels", "")
        line, column = mark.line + 1, mark.column + 1
        if kind is yaml.SequenceStartEvent:
            return Sequence(self._items(depth + 1), line, column)
        return Mapping(self._pairs(depth + 1), line, column)

    def _scalar(self, event: Any) -> Scalar:
        mark = event.start_mark
        value: str = event.value
        if event.style == '"' and not value.isprintable():
            unseen = next((c for c in value if not c.isprintable() and c not in "\n\t"), "")
            if unseen:
                name = f"U+{ord(unseen):04X}"
                raise self._refuse(event, f"the control character {name}", "remove it")
        return Scalar(value, not event.style, mark.line + 1, mark.column + 1)

    def _items(self, depth: int) -> list[Node]:
        items: list[Node] = []
        next_event = self._parser.get_event
        while type(event := next_event()) is not yaml.SequenceEndEvent:
            items.append(self._node(event, depth))
        return items

    def _pairs(self, depth: int) -> list[tuple[Scalar, Node]]:
        pairs: list[tuple[Scalar, Node]] = []
        lines: dict[str, int] = {}
        next_event = self._parser.get_event
        while type(event := next_event()) is not yaml.MappingEndEvent:
            key = self._node(event, depth)
            if not isinstance(key, Scalar):
                raise self._refuse(event, "a key that is a list or mapping", "a key is a word")
            if key.plain and key.text == "<<":
                hint = "write the keys out: the language has no merge keys"
                raise self._refuse(event, "a merge key: <<", hint)
            value = self._node(next_event(), depth)
            if key.text in lines:
                self._report_twice(key, lines[key.text])
            else:
                lines[key.text] = key.line
                pairs.append((key, value))
        return pairs

    def _report_twice(self, key: Scalar, first: int) -> None:
        message = f"the key {shown(key.text)} is given twice"
        hint = f"the first is in line {first}; keep one of them, or begin each with '- '"
        self._source.report(key.line, key.column, message, hint=hint, width=len(key.text))

    def _refuse(self, event: Any, message: str, hint: str) -> Refused:
        mark = event.start_mark
        return self._source.refuse(mark.line + 1, mark.column + 1, message, hint)


def _tag_error(tag: str) -> tuple[str, str]:
    """Return the message and the hint for a tag, which may be a comparison without quotes."""
    if tag.startswith("!="):
        return f"a YAML tag: {shown(tag)}", 'put a comparison in quotes: "!= 3"'
    name = f"!!{tag.removeprefix(_YAML_TAG)}" if tag.startswith(_YAML_TAG) else tag
    return f"a YAML tag: {shown(name)}", "leave it out: the language has no tags"


def _report_syntax(source: Source, error: yaml.MarkedYAMLError) -> None:
    mark, end = _mark_of(error), error.problem_mark
    parts = [part for part in (error.context, error.problem) if part]
    message = f"not valid YAML: {', '.join(parts)}"
    if end and mark and mark.line < end.line:
        message += f" up to line {end.line + 1}"
    hint = next((hint for found, hint in _HINTS if found in message), "")
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    source.report(line, column, message, hint=hint)


def _mark_of(error: yaml.MarkedYAMLError) -> Any:
    """Return the place to look at: the offending text, or an opening that is not closed."""
    found, opened = error.problem_mark, error.context_mark
    if not found or not opened:
        return found or opened
    unclosed = _UNCLOSED.search(error.context or "") and opened.line < found.line
    return opened if unclosed else found


def _walk(node: Node, path: str) -> Iterator[tuple[int, str]]:
    yield id(node), path
    if isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _walk(item, f"{path}[{index}]")
    elif isinstance(node, Mapping):
        for key, value in node.pairs:
            below = f"{path}.{key.text[:60]}" if path else key.text[:60]
            yield id(key), path
            yield from _walk(value, below)
