"""Any file is loaded, or refused with errors that can be shown, and soon."""

import time
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poolspec.errors import SpecErrors
from poolspec.load import load_class_text
from poolspec.loading.files import FILES, TEST_PLACE
from poolspec.steps.kind import PLACES

WORDS = sorted(
    {
        *FILES,
        *TEST_PLACE.names,
        *(name for place in PLACES.values() for name in place.names),
        *("$n", "1s", "5 ± 5%", "<= 3", "0.95..1", "a", "b", "null", "true", "99", "-1", "1e999"),
        *("", "__class__", "a\nb", "ü", "\0", "\u2028", "*a", "&a x", "!!int 1", "<<", "{", "]"),
    }
)
scalars = st.sampled_from(WORDS)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(scalars, inner, max_size=5),
    max_leaves=25,
)


def outcome(data: bytes) -> str:
    """The errors of a file as text; empty if it loads. Anything else is a failure."""
    try:
        load_class_text(data, PurePosixPath("specs/hostile.yaml"))
    except SpecErrors as errors:
        text = str(errors)
        assert all(char.isprintable() or char == "\n" for char in text)
        return text
    return ""


def flow(value: object) -> str:
    """A value as flow YAML; scalars stand as they are."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return str(value)


@settings(max_examples=300, deadline=None, database=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_an_error(data: bytes) -> None:
    assert outcome(data)


@pytest.mark.parametrize("data", [b'purpose: "\\ud800"', b"purpose: \xed\xa0\x80"])
def test_half_of_a_surrogate_pair_is_an_error(data: bytes) -> None:
    assert "hostile.yaml:" in outcome(b"spec: 1\n" + data)


@settings(max_examples=300, deadline=None, database=None)
@given(st.dictionaries(scalars, values, max_size=6))
def test_random_files_of_our_words_give_errors_or_load(keys: dict[str, object]) -> None:
    outcome(f"spec: 1\nclass: A\n{flow(keys)}".encode())
    outcome(flow({"spec": "1", "class": "A", "purpose": "p", **keys}).encode())


@settings(max_examples=500, deadline=None, database=None)
@given(st.dictionaries(st.sampled_from(TEST_PLACE.names), values, max_size=6))
def test_random_tests_give_errors_or_load(keys: dict[str, object]) -> None:
    test = {"purpose": "p", "validates": "v", "covers": [], **keys}
    whole = {"spec": "1", "class": "A", "purpose": "p", "tests": {"one": test}}
    outcome(flow(whole).encode())


STEPS = st.sampled_from([place for place in PLACES.values() if place.keys]).flatmap(
    lambda place: st.fixed_dictionaries(
        {place.keys[0].name: values}, optional=dict.fromkeys(place.names[1:], values)
    )
)


@settings(max_examples=500, deadline=None, database=None)
@given(st.lists(STEPS, max_size=4), values)
def test_random_steps_give_errors_or_load(steps: list[object], expect: object) -> None:
    test = {"purpose": "p", "validates": "v", "covers": [], "steps": steps, "expect": expect}
    whole = {"spec": "1", "class": "A", "purpose": "p", "tests": {"one": test}}
    outcome(flow(whole).encode())


BOMBS = {
    "laughs": "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
    "brackets": "[" * 500_000,
    "braces": "{a: " * 200_000,
    "dashes": "- " * 300_000,
    "question marks": "? " * 300_000,
    "quotes": '"' * 900_001,
    "spaces in a comparison": f"spec: 1\nclass: A\ntime: '5{' ' * 900_000}x'\n",
    "keys": "spec: 1\nclass: A\n" + "".join(f"k{n}: 1\n" for n in range(80_000)),
    "the same key": "spec: 1\n" + "class: A\n" * 100_000,
    "a long key": "spec: 1\nclass: A\n" + "k" * 900_000 + ": 1\n",
    "a long number": "spec: " + "9" * 900_000,
    "comments": "#\n" * 490_000,
    "documents": "---\n" * 240_000,
    "percent": "%" * 900_000,
    "indent": "".join(" " * n + "a:\n" for n in range(1300)),
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_at_once(text: str) -> None:
    began = time.process_time()
    assert outcome(text.encode())
    assert time.process_time() - began < 3


def steps_text(steps: str, expect: str = "{server: {peak: 1}}") -> bytes:
    test = f"{{purpose: p, validates: v, covers: [], steps: {steps}, expect: {expect}}}"
    return f"spec: 1\nclass: A\npurpose: p\ntests: {{one: {test}}}".encode()


SLOW = {
    "a comparison of spaces": steps_text("[]", f'{{server: {{peak: "5{" " * 900_000}x"}}}}'),
    "a condition of spaces": steps_text(f'[wait_until: "a{" " * 900_000}b"]'),
    "a duration of parts": steps_text(f'[advance: "{"1s " * 300_000}"]'),
    "a label": steps_text(f"[acquire: {'a' * 900_000}]"),
    "labels": steps_text(f"[acquire: [{', '.join(f'a{n}' for n in range(100_000))}]]"),
    "the same label": steps_text(f"[acquire: [{'a, ' * 300_000}]]"),
    "unknown steps": steps_text(f"[{'aquire: a, ' * 80_000}]"),
    "a wide matrix": steps_text("[]").replace(
        b"steps: []", b"matrix: {" + b", ".join(b"n%d: [1, 2]" % n for n in range(40_000)) + b"}"
    ),
    "long rows": steps_text("[]").replace(
        b"steps: []", b"matrix: [{" + b", ".join(b"n%d: 1" % n for n in range(60_000)) + b"}]"
    ),
}


@pytest.mark.parametrize("data", SLOW.values(), ids=SLOW.keys())
def test_a_value_made_to_be_slow_is_refused_at_once(data: bytes) -> None:
    began = time.process_time()
    assert outcome(data)
    assert time.process_time() - began < 3


def test_a_thousand_files_of_our_size_load_in_seconds() -> None:
    steps = "[acquire: [a, b], {acquire: c, fails: timeout, took: 1s ± 5%}, release: a]"
    test = f"{{purpose: p, validates: v, covers: [A01], steps: {steps}, expect: {{same: [a, b]}}}}"
    tests = "".join(f"  test_{n}: {test}\n" for n in range(20))
    data = f"spec: 1\nclass: A\npurpose: p\ntests:\n{tests}".encode()
    began = time.process_time()
    for _ in range(100):
        assert load_class_text(data, PurePosixPath("specs/a.yaml"))
    assert time.process_time() - began < 1


@pytest.mark.parametrize("name", ["limits.yaml"])
def test_every_beginning_of_a_spec_is_an_error_or_loads(name: str) -> None:
    data = (Path(__file__).parents[2] / "specs" / name).read_bytes()[:1500]
    for end in range(0, len(data), 7):
        outcome(data[:end])
