"""Strings of a spec as Python source."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.generator.hostile import hostile_text

from poolspec.python.literals import check, docstring, literal, row, sentence, value
from poolspec.python.names import RenderError
from poolspec.spec.values import Check, Ref
from poolspec.vocabulary import CheckOp


@given(hostile_text)
def test_a_literal_evaluates_to_the_string_it_was_made_from(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text


@given(hostile_text)
def test_a_literal_is_one_line_of_printable_characters(text: str) -> None:
    assert literal(text).isprintable()


@given(hostile_text)
def test_a_docstring_evaluates_to_the_words_it_was_made_from(text: str) -> None:
    words = text.split()
    source = docstring([text], 8)
    assert str(ast.literal_eval(source)).split() == words


@given(st.lists(hostile_text.filter(str.strip), min_size=1, max_size=4))
def test_a_docstring_keeps_its_paragraphs(texts: list[str]) -> None:
    paragraphs = str(ast.literal_eval(docstring(texts, 8))).split("\n\n")
    assert [text.split() for text in paragraphs] == [text.split() for text in texts]


@given(hostile_text)
def test_a_docstring_is_one_token(text: str) -> None:
    tree = ast.parse(f"def f():\n{docstring([text], 0)!s}".replace("\n", "\n    "))
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert len(tree.body) == len(function.body) == 1


def test_a_long_docstring_is_wrapped_at_100_columns() -> None:
    lines = docstring(["word " * 60], 8).splitlines()
    assert max(len(line) + 8 for line in lines) <= 100


def test_a_long_string_is_written_in_pieces() -> None:
    text = "SELECT " + ", ".join(f"column_{n}" for n in range(40))
    source = literal(text)
    assert max(len(piece) for piece in source.split("' '")) < 80
    assert ast.literal_eval(source) == text


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_a_number_without_a_literal_is_refused(number: float) -> None:
    with pytest.raises(RenderError, match="has no literal"):
        literal(number)


def test_a_matrix_parameter_stands_as_its_bare_name() -> None:
    assert value(Ref("size")) == "size"


def test_a_matrix_parameter_with_a_name_of_python_is_refused() -> None:
    with pytest.raises(RenderError, match="'print' is taken"):
        value(Ref("print"))


def test_a_row_of_one_is_still_a_tuple() -> None:
    assert row((1,)) == "(1,)"


@pytest.mark.parametrize(
    ("wanted", "source"),
    [
        (Check(CheckOp.EQUAL, 2), "2"),
        (Check(CheckOp.NOT_EQUAL, 2), "not_equal(2)"),
        (Check(CheckOp.LESS, 0.5), "less_than(0.5)"),
        (Check(CheckOp.AT_MOST, Ref("size")), "at_most(size)"),
        (Check(CheckOp.MORE, 2), "more_than(2)"),
        (Check(CheckOp.AT_LEAST, 2), "at_least(2)"),
        (Check(CheckOp.BETWEEN, 0.95, 1), "between(0.95, 1)"),
        (Check(CheckOp.APPROX, 1.0, rel=0.05), "approx(1.0, rel=0.05)"),
        (Check(CheckOp.APPROX, 1.0, abs=0.1), "approx(1.0, abs=0.1)"),
    ],
)
def test_a_check_is_a_comparison_of_the_runtime(wanted: Check, source: str) -> None:
    assert check(wanted) == source


@pytest.mark.parametrize(
    ("text", "said"),
    [("It holds", "It holds."), ("Does it?", "Does it?"), ("It  holds.\n", "It holds."), ("", "")],
)
def test_a_sentence_ends_with_a_mark(text: str, said: str) -> None:
    assert sentence(text) == said
