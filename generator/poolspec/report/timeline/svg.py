"""Elements of SVG as text. Every text and every attribute is escaped here."""

import re
from html import escape

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may contain."""


def text_of(value: str) -> str:
    """Return a string as the text of an element or the value of an attribute."""
    return escape(NOT_XML.sub("\ufffd", value), quote=True)


def number(value: float) -> str:
    """Return a coordinate: at most one decimal place, and no needless zero."""
    short = f"{value:.1f}".removesuffix(".0")
    return "0" if short == "-0" else short


def element(name: str, *children: str, **attributes: str | float) -> str:
    """Return an element. Children are elements already; `kind` is the attribute `class`."""
    given = "".join(
        f' {_attribute(key)}="{text_of(value) if isinstance(value, str) else number(value)}"'
        for key, value in attributes.items()
    )
    inside = "".join(children)
    return f"<{name}{given}>{inside}</{name}>" if inside else f"<{name}{given}/>"


def words(text: str, x: float, y: float, kind: str = "", *, anchor: str = "start") -> str:
    """Return a line of text."""
    attributes: dict[str, str | float] = {"x": x, "y": y}
    if kind:
        attributes["kind"] = kind
    if anchor != "start":
        attributes["text_anchor"] = anchor
    return element("text", text_of(text), **attributes)


def _attribute(key: str) -> str:
    return "class" if key == "kind" else key.replace("_", "-")
