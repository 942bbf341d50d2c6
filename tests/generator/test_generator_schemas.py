"""Files from outside are checked by the published schemas at the door."""

import json
from pathlib import Path

import pytest

from poolspec.errors import Problem, SpecErrors
from poolspec.plugin.results import Results, TestResult
from poolspec.report.results import parse_results
from poolspec.schema.check import faults
from poolspec.schema.files import check_files
from poolspec.schema.results import results_schema, results_schema_text
from poolspec.vocabulary.outcomes import LOAD_FIGURES, REAL_PARTS, Outcome

PROJECT = Path(__file__).parents[2]
SPEC = """\
spec: 1
class: Limits
purpose: p
pool: {size: 2}
tests:
  one:
    purpose: p
    validates: v
    covers: []
    steps:
      - acquire: a
        timeout: 1s
      - query: SELECT 1
        on: a
        returns: 1
"""


def problems(path: Path, text: str) -> list[tuple[str, str]]:
    path.write_text(text)
    with pytest.raises(SpecErrors) as caught:
        check_files([path], root=path.parent)
    return [(problem.place, problem.message) for problem in caught.value.problems]


def a_run(path: Path) -> str:
    """The text of a results file, as a run writes it."""
    results = Results("steadypool")
    load = dict.fromkeys(LOAD_FIGURES, 1.5)
    real = dict.fromkeys(REAL_PARTS, "virtual")
    results.note(TestResult("a.b", "", "A", "threads", Outcome.PASSED, 0.1, "", real, [load]))
    results.note(TestResult("a.c", "1", "A", "asyncio", Outcome.NOT_APPLICABLE, 0, "why", {}, []))
    results.save(path)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("before", "after", "place", "message"),
    [
        ("{size: 2}", '{size: "2"}', "spec.yaml:4:14", "the text '2' does not fit"),
        ("{size: 2}", "{sise: 2}", "spec.yaml:4:8", "unknown key 'sise'"),
        ("    covers: []\n", "", "spec.yaml:7:5", "the key 'covers' is missing"),
        ("timeout: 1s", "timeout: 1", "spec.yaml:12:18", "1 does not fit"),
        ("class: Limits", "klass: Limits", "spec.yaml:2:1", "unknown key 'klass'"),
        ("- acquire: a", "- aquire: a", "spec.yaml:11:9", "does not fit"),
        ("on: a", "on: A", "spec.yaml:14:13", "the text 'A' has another form"),
    ],
)
def test_a_spec_that_does_not_fit_the_schema_is_refused_with_its_place(
    before: str, after: str, place: str, message: str, tmp_path: Path
) -> None:
    found = problems(tmp_path / "spec.yaml", SPEC.replace(before, after))
    assert [(where, message in said) for where, said in found] == [(place, True)]


def test_all_differences_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    text = SPEC.replace("size: 2", "sise: 2").replace("on: a", "on: 7").replace("a\n", "a\n", 1)
    assert len(problems(tmp_path / "spec.yaml", text)) == 2


def test_all_specs_of_the_project_fit_the_schema() -> None:
    assert check_files([PROJECT / "specs"], root=PROJECT) > 30


def test_the_results_of_a_run_fit_their_schema(tmp_path: Path) -> None:
    text = a_run(tmp_path / "results.json")
    assert faults(json.loads(text), results_schema()) == []
    assert check_files([tmp_path / "results.json"], root=tmp_path) == 1
    assert len(parse_results(text).verdicts) == 2


def test_results_that_do_not_fit_are_refused_with_their_place(tmp_path: Path) -> None:
    text = a_run(tmp_path / "results.json").replace('"passed"', '"fine"')
    (found,) = problems(tmp_path / "results.json", text)
    assert found[0].startswith("results.json:")
    assert found[1].startswith("the text 'fine' is none of not_applicable, passed")


def test_the_published_schema_of_results_is_the_one_that_checks_them() -> None:
    published = PROJECT / "docs" / "schema" / "results-1.json"
    assert published.read_text(encoding="utf-8") == results_schema_text()


def test_a_file_that_is_no_document_is_refused_as_everywhere(tmp_path: Path) -> None:
    assert problems(tmp_path / "spec.yaml", "spec: [1\n")[0][1].startswith("not valid YAML")
    missing = Path("missing")
    with pytest.raises(SpecErrors) as caught:
        check_files([missing], root=tmp_path)
    assert isinstance(caught.value.problems[0], Problem)
