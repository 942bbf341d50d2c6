"""The pictures of docs/chaos.md come from runs of its test, as it is now."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tools.chaos_pictures import IMAGES, PICTURE, POOLS, TEST

from poolspec.headers import Origin, origin

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "specs" / "chaos.yaml"


def picture(pool: str) -> str:
    return (IMAGES / f"cut-{pool}.svg").read_text(encoding="utf-8")


def digest(text: str) -> str:
    found = re.search(r"source ([0-9a-f]{32})", text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("pool", POOLS)
def test_a_picture_is_of_a_pool_and_of_the_test_as_it_is_now(pool: str) -> None:
    text = picture(pool)
    assert origin(text) is Origin.OURS
    page = (ROOT / "docs" / "coverage" / "chaos.md").read_text(encoding="utf-8")
    assert digest(text) == digest(page), "specs/chaos.yaml has changed: run `make pictures`"
    said = ["".join(one.itertext()) for one in ElementTree.fromstring(text).iter()]
    assert f"chaos.{TEST} (threads)" in said
    assert any(one.startswith(f"{pool} on ") and one.endswith(": passed") for one in said)
    assert "down" in said


def test_the_guide_shows_each_picture_and_the_steps_of_the_test() -> None:
    guide = (ROOT / "docs" / "chaos.md").read_text(encoding="utf-8")
    assert re.findall(r"img/cut-(\w+)\.svg", guide) == [*POOLS]
    steps = re.search(r"```yaml\n(.*?)```", guide, re.DOTALL)
    assert steps is not None
    shown = [line.strip() for line in steps[1].splitlines()]
    known = [line.strip() for line in SPEC.read_text(encoding="utf-8").splitlines()]
    first = known.index(shown[0])
    assert known[first : first + len(shown)] == shown


FAILED_CONNECTS = {"steadypool": (15, 30), "sqlalchemy": (450, 550), "dbutils": (1400, 1650)}


@pytest.mark.parametrize("pool", POOLS)
def test_the_numbers_of_the_guide_are_those_of_the_pictures(pool: str) -> None:
    found = re.search(r"(\d+) errors of the kind connect", picture(pool))
    assert found is not None
    fewest, most = FAILED_CONNECTS[pool]
    assert fewest <= int(found[1]) <= most
    lost_later = re.search(
        r"(\d+) errors? of the kind operation: lost, the first at 30", picture(pool)
    )
    assert (lost_later is not None and int(lost_later[1]) == 2) == (pool == "sqlalchemy")


def test_the_picture_is_that_of_the_test_on_the_page_of_its_class() -> None:
    assert f"chaos.{TEST}.threads.svg" == PICTURE
    assert f"  {TEST}:" in SPEC.read_text(encoding="utf-8").splitlines()
