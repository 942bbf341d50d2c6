"""Names whose values no report shows: a password in a header or a body is only for the server."""

import re

HIDDEN = "…"
_SECRET = re.compile(r"authori[sz]ation|cookie|pass(word|wd|phrase)|secret|token|api-?_?key", re.I)


def is_secret(name: str) -> bool:
    """Return whether the value of a header or of a JSON name may be a secret."""
    return bool(_SECRET.search(name))
