"""The YAML that specs may use, and the meaning of its plain words."""

import builtins
import keyword
from collections.abc import Callable

import pytest
import yaml

from poolspec.errors import Problem
from poolspec.model import SpecTest
from poolspec.spec import names, tree
from poolspec.steps.query import Query

WrongAt = Callable[[str, str], Problem]
ProblemsOf = Callable[[str], tuple[Problem, ...]]
LoadTest = Callable[[str], SpecTest]

REFUSED: dict[str, tuple[str, str]] = {
    "an anchor": ("spec: 1\nclass: «&a C", "an anchor"),
    "an alias": ("spec: 1\nclass: «*a", "an alias"),
    "a merge key": ("spec: 1\n«<<: *a", "a merge key: <<"),
    "a merge key in a test": ("spec: 1\nclass: C\ntests: {t: {«<<: {}}}", "a merge key: <<"),
    "a merge conflict": (
        "spec: 1\n«<<<<<<< HEAD\nclass: A\n=======\nclass: B\n>>>>>>> other\n",
        "a merge-conflict marker: '<<<<<<<'",
    ),
    "the end of a merge conflict": (
        "spec: 1\nclass: A\n«>>>>>>> other\n",
        "a merge-conflict marker: '>>>>>>>'",
    ),
    "a tag": ("spec: 1\nclass: «!!str C", "a YAML tag: '!!str'"),
    "a python tag": (
        "spec: 1\nclass: «!!python/object/apply:os.system [ls]",
        "a YAML tag: '!!python/object/apply:os.system'",
    ),
    "a comparison without quotes": ("spec: 1\nclass: «!= 3", "a YAML tag: '!='"),
    "a tag of the writer": ("spec: 1\nclass: «!env NAME", "a YAML tag: '!env'"),
    "a second document": ("spec: 1\n«---\nspec: 1", "a second document"),
    "a key twice": ("spec: 1\nspec: 1\n", "the key 'spec' is given twice"),
    "a key that is a list": ("spec: 1\n? «[a]\n: 1", "a key that is a list or mapping"),
    "a tab in the indentation": ("spec: 1\nclass:\n «\tC", "a tab in the indentation"),
    "a space of another kind": (
        "spec: 1\nclass:«\u00a0C",
        "a non-breaking space (U+00A0), which YAML takes for a letter",
    ),
    "such a space after a dash": (
        "spec: 1\nclass:\n  -«\u00a0C",
        "a non-breaking space (U+00A0), which YAML takes for a letter",
    ),
    "such a space in a flow mapping": (
        "spec: 1\nclass: C\npool: {size:«\u00a02}",
        "a non-breaking space (U+00A0), which YAML takes for a letter",
    ),
    "an ideographic space": (
        "spec: 1\nclass:«\u3000C",
        "an ideographic space (U+3000), which YAML takes for a letter",
    ),
    "a NUL": ("spec: 1\nclass: «\0C", "invisible or control character U+0000"),
    "an escape character": ("spec: 1\nclass: «\x1b[2J", "invisible or control character U+001B"),
    "an escaped control character": (
        'spec: 1\nclass: «"a\\eb"',
        "the control character U+001B",
    ),
    "a right-to-left override": (
        "spec: 1\nclass: C«\u202e",
        "invisible or control character U+202E",
    ),
    "a line separator": ("spec: 1\nclass: C«\u2028D", "invisible or control character U+2028"),
    "deep nesting": (
        f"spec: 1\nclass: {'[' * 19}«[{']' * 20}",
        "nested deeper than 20 levels",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_odd_yaml_is_refused_at_its_place(text: str, message: str, wrong_file: WrongAt) -> None:
    wrong_file(text.replace("spec: 1\nspec", "spec: 1\n«spec"), message)


SYNTAX: dict[str, tuple[str, int, str]] = {
    "a colon in a text": ("purpose: a: b", 1, "put a text that contains ': ' in quotes"),
    "a comparison": ("spec: 1\nx: >= 3", 2, 'put a comparison in quotes: ">= 2"'),
    "a list that is not closed": ("spec: 1\nx: [a\ny: 1", 2, "must be closed"),
    "a percent sign": ("spec: 1\nx: %a", 2, "starts with this character in quotes"),
    "a crooked mapping": ("spec: 1\n y: 1", 2, "in quotes"),
}


@pytest.mark.parametrize(("text", "line", "hint"), SYNTAX.values(), ids=SYNTAX.keys())
def test_a_syntax_error_names_its_place_and_the_remedy(
    text: str, line: int, hint: str, find_problems: ProblemsOf
) -> None:
    (problem,) = find_problems(text)
    assert problem.message.startswith("not valid YAML: ")
    assert problem.line == line
    assert hint in problem.hint


def test_a_space_of_another_kind_may_stand_in_a_text(find_problems: ProblemsOf) -> None:
    problems = find_problems("spec: 1\nclass: Example\npurpose: 30\u00a0s\u00a0: no more\n")
    assert not any("space" in problem.message for problem in problems)


@pytest.mark.parametrize("text", ["", " \n\n", "# nothing\n", "\ufeff"])
def test_an_empty_file_is_an_error(text: str, find_problems: ProblemsOf) -> None:
    assert [problem.message for problem in find_problems(text)] == ["the file is empty"]


def test_on_yes_and_no_are_words(load_test: LoadTest) -> None:
    test = load_test(
        "steps:\n  - acquire: a\n  - query: SELECT 1\n    on: a\n    params: [on, yes, no, off]\n"
        "    returns: 1"
    )
    query = test.steps[1]
    assert isinstance(query, Query)
    assert query.params == ("on", "yes", "no", "off")


WORDS: dict[str, object] = {
    "true": True,
    "false": False,
    "null": None,
    "~": None,
    "True": "True",
    "0": 0,
    "-7": -7,
    "+7": 7,
    "1_000": "1_000",
    "0x1F": "0x1F",
    "007": "007",
    "1.5": 1.5,
    ".5": 0.5,
    "1e3": 1000.0,
    ".inf": ".inf",
    "18446744073709551615": 18446744073709551615,
    "12:30:45": "12:30:45",
    "2026-01-01": "2026-01-01",
    "text": "text",
    '"1"': "1",
    "'true'": "true",
    '"$n"': "$n",
    '""': "",
    "'%s'": "%s",
}


@pytest.mark.parametrize(("word", "value"), WORDS.items())
def test_a_scalar_has_its_meaning_of_yaml_12(word: str, value: object, load_test: LoadTest) -> None:
    test = load_test(f"steps: [acquire: a, {{query: S, on: a, params: [{word}], returns: 1}}]")
    query = test.steps[1]
    assert isinstance(query, Query)
    assert query.params == (value,)
    assert type(query.params[0]) is type(value)


@pytest.mark.parametrize("word", ["1" * 21, "1e999", "9" * 30 + ".5" + "0" * 20])
def test_a_number_beyond_all_bounds_is_an_error(word: str, wrong_test: WrongAt) -> None:
    steps = f"steps: [acquire: a, {{query: S, on: a, params: [«{word}], returns: 1}}]"
    message = "a number of more than 20 digits"
    if not word.isdigit():
        message = "a number that no computer can hold exactly"
    wrong_test(steps, message)


def test_a_byte_order_mark_and_any_line_end_are_taken(find_problems: ProblemsOf) -> None:
    text = "\ufeffspec: 1\r\nclass: C\r\npurpose: p\r\nlair: unit\r\ntests: {t: {}}\r\n"
    assert [problem.line for problem in find_problems(text)] == [4, 5, 5, 5, 5]


def test_positions_count_characters_not_bytes(wrong_file: WrongAt) -> None:
    wrong_file('{spec: "ü±–", class: 1, «profiles: 3}', "'class' and 'profiles' in one file")


def test_the_pure_parser_gives_the_same_tree(
    monkeypatch: pytest.MonkeyPatch, find_test_problems: ProblemsOf
) -> None:
    text = 'steps: [acquire: [ä, 1], {query: "a\\nb", on: q}]\nexpect: {server: {peak: x}}'
    with_libyaml = find_test_problems(text)
    monkeypatch.setattr(tree, "_Parser", yaml.SafeLoader)
    assert find_test_problems(text) == with_libyaml


def test_every_word_of_this_python_is_known() -> None:
    words = (*keyword.kwlist, *keyword.softkwlist, *dir(builtins))
    assert {word for word in words if names.LABEL.fullmatch(word)} <= names.PYTHON
