"""The jobs of continuous integration: a job for each layer, artifacts, clean-up, documentation."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from poolspec.vocabulary import Layer

ROOT = Path(__file__).parents[1]
JOBS: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())[
    "jobs"
]
RUNS_TESTS = ("layer", "regression", "tests", "coverage", "wheels")
KEEPS_FILES = ("layer", "regression", "tests", "coverage")


def steps(job: str, word: str) -> list[dict[str, Any]]:
    """Return the steps of a job that use or run something."""
    return [
        step
        for step in JOBS[job]["steps"]
        if word in str(step.get("uses", "")) or word in str(step.get("run", ""))
    ]


def test_each_layer_has_a_job_that_does_not_wait_for_another() -> None:
    job = JOBS["layer"]
    assert job["strategy"] == {"fail-fast": False, "matrix": {"layer": [str(one) for one in Layer]}}
    assert "needs" not in job
    (step,) = steps("layer", "make run")
    assert step["run"] == "make run SERVER=mariadb LAYER=${{ matrix.layer }}"


@pytest.mark.parametrize("job", KEEPS_FILES)
def test_a_job_keeps_its_files_also_if_it_fails(job: str) -> None:
    (step,) = steps(job, "upload-artifact")
    assert step["if"] == "always()"
    assert step["with"]["path"].startswith("build/")


def test_no_two_jobs_keep_files_under_one_name() -> None:
    names = [steps(job, "upload-artifact")[0]["with"]["name"] for job in KEEPS_FILES]
    assert len({*names}) == len(names)
    assert "matrix.layer" in names[0]


@pytest.mark.parametrize("job", RUNS_TESTS)
def test_a_job_that_runs_tests_checks_that_nothing_is_left(job: str) -> None:
    (step,) = steps(job, "poolspec leftovers")
    assert step["if"] == "always()"


def test_the_script_checks_that_nothing_is_left() -> None:
    last = (ROOT / ".ci" / "run").read_text().rstrip().splitlines()[-1]
    assert "poolspec leftovers" in last


def test_the_documentation_is_published_with_the_results_of_a_run() -> None:
    job = JOBS["publish"]
    assert {"layer", "tests"} <= {*job["needs"]}
    (report,) = steps("publish", "download-artifact")
    (kept,) = steps("tests", "upload-artifact")
    wanted = kept["with"]["name"].replace("${{ matrix.server }}", "mariadb")
    assert report["with"]["name"] == wanted.replace("${{ matrix.python }}", "3.11")
    assert steps("publish", "deploy-pages")
