"""A module without the bodies of its tests: the rest is quickly made into a tree.

A line is left out only if it can stand nowhere but in the body of a test: it comes after a
docstring indented as a test's is, and is empty itself or indented as deep. So no statement of a
class or of the module is ever left out. Where Python may see a line begin, or an indentation end,
and this module sees nothing, the text is refused.
"""

_DEPTH = " " * 8
_QUOTES = '"""'
_UNSEEN = "\r\f"


def skeleton(text: str) -> str:
    """Return a module without the statements after its tests' docstrings.

    Raises ValueError where their extent is uncertain.
    """
    if any(sign in text for sign in _UNSEEN):
        raise ValueError("it holds a carriage return or a form feed")
    kept = []
    in_docstring = in_body = False
    for line in text.split("\n"):
        if in_body and (not line or line.startswith(_DEPTH)):
            continue
        in_body = False
        kept.append(line)
        if in_docstring:
            in_body = line.endswith(_QUOTES)
        elif line.startswith(_DEPTH + _QUOTES):
            in_body = line.endswith(_QUOTES) and len(line) >= len(_DEPTH) + 2 * len(_QUOTES)
            in_docstring = True
        in_docstring = in_docstring and not in_body
    return "\n".join(kept)
