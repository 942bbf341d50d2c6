"""Every text of the repository is plain technical English, without the words listed here.

The texts are guides, specs, templates, and the comments, strings and names of the code. A dot
breaks each word below, so that this file passes its own test.
"""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = (
    *("*.md", "docs/**/*.md", "pool/*.md", ".github/**/*.md"),
    *("specs/*.yaml", "generator/**/*.j2", "Makefile", "pyproject.toml", "pool/pyproject.toml"),
    *("*.py", "generator/**/*.py", "generated_tests/*.py", "pool/**/*.py", "tools/**/*.py"),
    *("examples/**/*.py", "benchmarks/**/*.py", "tests/**/*.py"),
)
BANNED = (
    "who.ever, what.ever, no.body, some.body, le.st, a.new, am.id, in the mid.st, cut sho.rt, "
    "is to.ld, made go.od, by-th.ing, for want o.f, save fo.r, h.e, h.im, h.is"
)
WORDS = BANNED.replace(".", "").split(", ")
BETWEEN = r"[\s_#]+"
"""Between the words of a phrase: a comment may break it over two lines, a name has underscores."""
PHRASES = "|".join(BETWEEN.join(word.split()) for word in WORDS)
BANNED_WORD = re.compile(f"(?<![A-Za-z])(?:{PHRASES})(?![A-Za-z])", re.IGNORECASE)
BANNED_HEADING = re.compile(r"^#+ (What )", re.MULTILINE)
TEXT_TOKENS = {
    *(tokenize.COMMENT, tokenize.STRING, tokenize.NAME),
    getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING),
}


def hits(path: Path) -> Iterator[str]:
    """Yield each banned word of a file as `file:line:word`."""
    source = path.read_text(encoding="utf-8")
    texts = _texts(source) if path.suffix == ".py" else iter([(1, source)])
    for first, text in texts:
        yield from _found(BANNED_WORD, path, first, text)
    if path.suffix == ".md":
        yield from _found(BANNED_HEADING, path, 1, source)


def _found(pattern: re.Pattern[str], path: Path, first: int, text: str) -> Iterator[str]:
    for found in pattern.finditer(text):
        line = first + text.count("\n", 0, found.start())
        yield f"{path.relative_to(ROOT)}:{line}:{' '.join(found[0].split())}"


def _texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comments, strings and names of Python code, each with its first line.

    Comments in successive lines are one text, since a phrase may go over two of them.
    """
    comments: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments.append((token.start[0], token.string))
        elif token.type in TEXT_TOKENS:
            yield token.start[0], token.string
    while comments:
        first, text = comments.pop(0)
        while comments and comments[0][0] == first + text.count("\n") + 1:
            text += "\n" + comments.pop(0)[1]
        yield first, text


def files() -> list[Path]:
    """Return every file of the repository that a person reads."""
    found = {path for pattern in FILES for path in ROOT.glob(pattern)}
    return sorted(
        path for path in found if not {".venv", "build"} & {*path.relative_to(ROOT).parts}
    )


def test_no_text_has_a_banned_word() -> None:
    found = [place for path in files() for place in hits(path)]
    assert not found, f"{len(found)} banned words:\n" + "\n".join(found)


def test_guides_specs_templates_and_code_are_searched() -> None:
    assert {".md", ".yaml", ".j2", ".py"} <= {path.suffix for path in files()}


def test_the_search_finds_a_banned_word_in_every_kind_of_text() -> None:
    for word in WORDS:
        comment, name = word.replace(" ", "\n# "), word.replace(" ", "_").replace("-", "_")
        texts = [f'"""{word.capitalize()}."""', f"f'{word}'", f"# {comment}"]
        for code in [*texts, f"a_{name}_b"] if "-" not in word else texts:
            assert any(BANNED_WORD.search(text) for _, text in _texts(code)), code
        assert not BANNED_WORD.search(f"x{word} {word}x"), word
