"""The time line of a test in a report: its figures as they are read, its picture and its table."""

import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.suites import a_class, a_suite, a_test, pages

from poolspec.headers import Origin, origin
from poolspec.report.results import ResultsError, parse_results
from poolspec.report.timeline import style
from poolspec.report.timeline.picture import Heading, draw
from poolspec.report.timeline.reading import Timeline, TimelineError, timeline_from
from poolspec.report.timeline.scale import ticks, unit_for
from poolspec.report.timeline.section import pictures
from poolspec.report.timeline.table import tables
from poolspec.report.timeline.words import described
from poolspec.vocabulary import Layer
from poolspec.vocabulary.timeline import MOST_LINES, Series, Total

SVG = "{http://www.w3.org/2000/svg}"
HEADING = Heading("outage.it (threads)", "steadypool on MariaDB: passed")


def a_pool(**changes: Any) -> dict[str, Any]:
    columns = {"in_use": [0, 2, 5], "idle": [0, 3, 0], "pending": [1, 0, 0], "waiting": [0, 0, 7]}
    points = {"at": [0.0, 1.0, 2.0], **columns}
    length = len(changes.get("points", points)["at"])
    totals = {name: [*range(length)] for name in map(str, Total)}
    return {"pool": 1, "limit": 5, "thinned": False, "points": points, "totals": totals, **changes}


def an_entry(**changes: Any) -> dict[str, Any]:
    whole = {"seconds": 4.0, "pools": [a_pool()], "pools_left_out": 0, "errors": [], "faults": []}
    return {**whole, **changes}


def an_error(at: float = 1.0, error: str = "acquire: X", count: int = 1) -> dict[str, Any]:
    return {"at": at, "pool": 1, "error": error, "count": count}


def a_fault(fault: str = "server_killed", began: float = 1.0, to: float | None = 2.0) -> Any:
    return {"fault": fault, "from": began, "to": to}


def read(**changes: Any) -> Timeline:
    return timeline_from(an_entry(**changes))


def drawn(timeline: Timeline, heading: Heading = HEADING) -> ElementTree.Element:
    return ElementTree.fromstring(draw(timeline, heading, "virtual"))


def texts(picture: ElementTree.Element) -> list[str]:
    return ["".join(one.itertext()) for one in picture.iter(f"{SVG}text")]


def of_kind(picture: ElementTree.Element, kind: str) -> list[ElementTree.Element]:
    return [one for one in picture.iter() if one.get("class") == kind]


def corners(path: ElementTree.Element) -> list[tuple[float, float]]:
    numbers = [float(one) for one in re.findall(r"-?[\d.]+", path.get("d", ""))]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pools": [a_pool(points={**a_pool()["points"], "idle": [0]})]}, "different lengths"),
        ({"pools": [a_pool(most={name: [1] for name in Series})]}, "different lengths"),
        ({"pools": [a_pool(totals={name: [0, 2, 1] for name in Total})]}, "its totals fall"),
        ({"seconds": 1.5}, "times do not ascend to the test's 1.5"),
        (
            {"pools": [a_pool(points={**a_pool()["points"], "at": [0.0, 2.0, 1.0]})]},
            "times do not ascend",
        ),
        ({"errors": [an_error(at=9)]}, "an error is at 9, after the test's 4"),
        ({"faults": [a_fault(began=3, to=2)]}, "the fault server_killed is not within"),
        ({"faults": [a_fault(to=5)]}, "the fault server_killed is not within"),
    ],
)
def test_a_time_line_that_contradicts_itself_is_refused(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(TimelineError, match=re.escape(message)):
        read(**changes)


def results_text(timeline: Any) -> str:
    test = {"id": "limits.it", "outcome": "passed", "seconds": 0.1, "reason": ""}
    return json.dumps(
        {
            "schema": 1,
            "pool": "p",
            "server": {"description": "s"},
            "seconds": 1,
            "tests": [{**test, "timeline": timeline}],
        }
    )


@pytest.mark.parametrize(
    ("timeline", "place"),
    [
        ([], "tests[0].timeline"),
        ({"seconds": 1}, "tests[0].timeline"),
        (an_entry(seconds=-1), "tests[0].timeline.seconds"),
        (an_entry(pools=[{"pool": 1}]), "tests[0].timeline.pools[0]"),
        (an_entry(pools=[a_pool(points={"at": []})]), "tests[0].timeline.pools[0].points"),
        (an_entry(errors=[{"at": 1}]), "tests[0].timeline.errors[0]"),
        (an_entry(faults=[{"fault": 3, "from": 0, "to": 1}]), "tests[0].timeline.faults[0].fault"),
        (an_entry(errors=[an_error(at=9)]), "timeline of limits.it"),
    ],
)
def test_a_results_file_with_a_wrong_time_line_is_refused_with_its_place(
    timeline: Any, place: str
) -> None:
    with pytest.raises(ResultsError, match=f"^{re.escape(place)}"):
        parse_results(results_text(timeline))


# --- the picture ---------------------------------------------------------------------------------


def test_the_picture_has_areas_a_line_a_band_marks_and_an_axis_with_its_unit() -> None:
    picture = drawn(read(errors=[an_error(count=12)], faults=[a_fault()]))
    assert [len(of_kind(picture, kind)) for kind in ("in_use", "idle", "pending")] == [2, 2, 2]
    assert len(of_kind(picture, "waiting")) == 2  # the line, and its key
    assert len(of_kind(picture, "fault band")) == 1
    assert len(of_kind(picture, "error")) == 1
    assert {"server killed", "12 × acquire: X", "s, virtual clock", "limit 5"} <= {*texts(picture)}
    assert "waiting, at most 7" in texts(picture)


def test_a_screen_reader_gets_a_title_and_a_description() -> None:
    picture = drawn(read(errors=[an_error()], faults=[a_fault()]))
    assert picture.get("role") == "img"
    labels = str(picture.get("aria-labelledby")).split()
    by_id = {one.get("id"): "".join(one.itertext()) for one in picture.iter()}
    assert by_id[labels[0]] == HEADING.title
    assert by_id[labels[1]] == (
        "The test took 4.00 s. Pool 1, with a limit of 5: at most 5 connections in use, 3 idle, "
        "1 connecting, and 7 acquires waiting; 2 acquired, 2 released, 2 opened, and 2 closed. "
        "Fault server killed from 1.00 s to 2.00 s. "
        "1 error of the kind acquire: X, the first at 1.00 s."
    )


def test_the_picture_has_colours_for_dark_surroundings_and_needs_no_other_file() -> None:
    text = draw(read(), HEADING, "real")
    assert "@media (prefers-color-scheme:dark)" in text
    assert not re.search(r"script|href|url\(|@import|<image|<foreignObject", text)
    assert text.count("http") == 1  # the name of SVG


def test_equal_figures_give_equal_bytes() -> None:
    assert draw(read(), HEADING, "real") == draw(read(), HEADING, "real")


def test_a_fault_that_cannot_be_healed_is_a_moment_and_one_that_was_not_lasts_to_the_end() -> None:
    moment = drawn(read(faults=[a_fault("idle_killed", to=None)]))
    assert (len(of_kind(moment, "cut")), of_kind(moment, "fault band")) == (1, [])
    (band,) = of_kind(drawn(read(faults=[a_fault("server_killed", to=None)])), "fault band")
    assert float(band.get("x", 0)) + float(band.get("width", 0)) == pytest.approx(
        style.END, abs=0.1
    )


def test_the_bands_of_faults_that_overlap_are_one() -> None:
    faults = [a_fault("a", 0, 2), a_fault("b", 1, 3), a_fault("c", 3.5, 4)]
    picture = drawn(read(faults=faults))
    assert len(of_kind(picture, "fault band")) == 2
    assert len(of_kind(picture, "fault")) == 3


def test_many_faults_and_errors_share_a_last_row() -> None:
    faults = [a_fault(f"fault_{n}") for n in range(20)]
    errors = [an_error(error=f"acquire: E{n}") for n in range(20)]
    said = texts(drawn(read(faults=faults, errors=errors)))
    assert f"other ({21 - style.MOST_ROWS} faults)" in said
    assert f"{21 - style.MOST_ROWS} × other ({21 - style.MOST_ROWS} kinds)" in said


def test_long_names_are_shortened_and_stay_whole_in_the_description() -> None:
    name = "a" * 300
    picture = drawn(read(faults=[a_fault(name)]), Heading(name, name))
    assert max(map(len, texts(picture))) <= style.LONGEST_TITLE
    assert name in "".join(picture.find(f"{SVG}desc").itertext())  # type: ignore[union-attr]


def test_a_test_of_no_length_and_one_without_a_pool_have_a_picture() -> None:
    point = {"at": [0.0], "in_use": [2], "idle": [1], "pending": [0], "waiting": [0]}
    still = read(seconds=0, pools=[a_pool(points=point)], faults=[a_fault(began=0, to=0)])
    assert "events; no time passed" in texts(drawn(still))
    assert "The test made no pool." in texts(drawn(read(seconds=0, pools=[])))


def a_busy_pool(number: int, acquired: int) -> dict[str, Any]:
    columns: dict[str, Any] = {name: [0] * number for name in map(str, Series)}
    columns["in_use"] = [n % 2 for n in range(number)]
    points = {"at": [4.0 * n / number for n in range(number)], **columns}
    counts = [acquired * (n + 1) // number for n in range(number)]
    totals = dict.fromkeys(map(str, Total), counts)
    return a_pool(points=points, totals=totals)


@pytest.mark.parametrize("thinned", [False, True])
def test_a_pool_under_load_has_its_throughput(thinned: bool) -> None:
    picture = drawn(read(pools=[{**a_busy_pool(100, 4000), "thinned": thinned}]))
    assert "acquires per s, at most 1,000" in texts(picture)
    idle = drawn(read(pools=[{**a_busy_pool(100, 40), "thinned": thinned}]))
    assert of_kind(idle, "rate") == []


def test_a_figure_that_was_higher_for_no_time_is_a_spike() -> None:
    most = {name: a_pool()["points"][name] for name in map(str, Series)}
    picture = drawn(read(pools=[a_pool(most={**most, "in_use": [0, 4, 5]})]))
    (spike,) = of_kind(picture, "peak")
    assert re.fullmatch(r"M([\d.]+) ([\d.]+)V([\d.]+)", spike.get("d", ""))
    assert of_kind(drawn(read()), "peak") == []


def test_the_axis_of_a_test_in_which_no_time_passed_has_its_events() -> None:
    made = read(seconds=0, events=4, faults=[a_fault("idle_killed", to=None)])
    picture = drawn(made)
    assert {"0", "1", "2", "3", "4", "events; no time passed"} <= {*texts(picture)}
    assert "The test took no time." in described(made)
    assert "Fault idle killed at event 1." in described(made)
    assert rows_of(made)[0][0] == "from (event)"


def test_each_of_several_pools_has_its_panels() -> None:
    picture = drawn(read(pools=[a_pool(), a_pool(pool=2, limit=None)]))
    assert {"pool 1", "pool 2"} <= {*texts(picture)}
    assert len(of_kind(picture, "in_use")) == 4


TEXT = st.text(st.characters(codec=None), max_size=40)  # surrogates and control characters too


@given(TEXT, TEXT, TEXT, TEXT)
@settings(deadline=None)
def test_a_text_of_a_spec_is_never_markup(title: str, about: str, fault: str, error: str) -> None:
    made = read(errors=[an_error(error=error)], faults=[a_fault(fault)])
    plain = drawn(read(errors=[an_error()], faults=[a_fault("x")]))
    picture = drawn(made, Heading(title, about))
    assert [one.tag for one in picture.iter()] == [one.tag for one in plain.iter()]


VALUES = st.integers(0, 40)
COLUMNS = st.lists(st.tuples(VALUES, VALUES, VALUES, VALUES), min_size=1, max_size=30)


@given(COLUMNS, st.one_of(st.none(), st.integers(1, 50)))
@settings(deadline=None)
def test_the_areas_have_the_heights_of_the_figures_and_stay_in_their_panel(
    rows: Sequence[tuple[int, int, int, int]], limit: int | None
) -> None:
    columns: dict[str, Any] = {
        name: [row[n] for row in rows] for n, name in enumerate(map(str, Series))
    }
    points = {"at": [n / len(rows) for n in range(len(rows))], **columns}
    made = read(seconds=1.0, pools=[a_pool(points=points, limit=limit)])
    picture = drawn(made)
    places = [corner for path in picture.iter(f"{SVG}path") for corner in corners(path)]
    assert all(style.LEFT <= x <= style.END for x, _ in places)
    areas = [path for path in of_kind(picture, "in_use") if path.tag == f"{SVG}path"]
    if areas and not limit:
        top = min(y for _, y in corners(areas[0]))
        bottom = max(y for _, y in corners(areas[0]))
        highest = max(max(map(sum, (row[:3] for row in rows))), 1)
        share = max(row[0] for row in rows) / highest
        assert (bottom - top) / style.SIZES_HEIGHT == pytest.approx(share, abs=0.01)


@given(st.floats(0.0005, 1e7), st.integers(2, 12), st.booleans())
def test_ticks_are_few_round_and_in_equal_steps_from_0(top: float, most: int, whole: bool) -> None:
    found = ticks(top, most, whole=whole)
    assert found[0] == 0.0
    assert len(found) <= most
    assert found[-1] <= top * (1 + 1e-6)
    steps = {round(later - earlier, 9) for earlier, later in pairwise(found)}
    assert len(steps) <= 2  # by rounding
    assert not whole or all(value == int(value) for value in found)


@pytest.mark.parametrize(
    ("span", "unit"), [(0.0, "s"), (0.4, "ms"), (1.0, "s"), (299, "s"), (600, "min"), (9000, "h")]
)
def test_the_unit_of_time_fits_the_span(span: float, unit: str) -> None:
    assert unit_for(span).name == unit


# --- the table and the page ----------------------------------------------------------------------


def rows_of(timeline: Timeline) -> list[list[str]]:
    lines = [line for part in tables(timeline) for line in part.splitlines() if line[:2] == "| "]
    return [line.strip("| ").split(" | ") for line in lines if "---" not in line]


def test_the_table_names_figures_faults_and_errors_of_each_time() -> None:
    made = read(errors=[an_error(at=2.5, count=3)], faults=[a_fault()])
    assert rows_of(made) == [
        ["from (s)", "in use", "idle", "connecting", "waiting", *Total, "faults", "errors"],
        [*"00010", *"0000", "–", "–"],
        [*"12300", *"1111", "server killed", "–"],
        [*"25007", *"1111", "server killed", "3 × acquire: X"],
    ]


def test_a_long_table_joins_points_and_keeps_their_mean_and_peak() -> None:
    number = 200
    columns: dict[str, Any] = {name: [0] * number for name in map(str, Series)}
    columns["in_use"][7] = 8
    points = {"at": [n / 50 for n in range(number)], **columns}
    head, first, *rest = rows_of(read(pools=[a_pool(points=points)]))
    assert len([head, first, *rest]) - 1 <= MOST_LINES
    assert first[1] == "1, at most 8"
    assert {row[1] for row in rest} == {"0"}


class Tags(HTMLParser):
    """Collects the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)


def found_of(**changes: Any) -> Any:
    test = {"id": "limits.it", "outcome": "failed", "seconds": 0.1, "reason": "<b>no"}
    entries = [{**test, "timeline": an_entry(), **changes}]
    whole = {"schema": 1, "pool": "p", "server": {"description": "s"}, "seconds": 1}
    return parse_results(json.dumps({**whole, "tests": entries}))


def test_the_page_of_a_failed_test_shows_its_picture_and_folds_its_table() -> None:
    spec = a_class(a_test("it", layer=Layer.CHAOS))
    (page,) = (
        text for name, text in pages(a_suite(spec), found_of()).items() if "limits" in str(name)
    )
    assert "](timelines/limits.it.threads.svg)" in page
    assert page.index("<details>") < page.index("| from (s) |") < page.index("</details>")
    ((path, text),) = pictures(spec, found_of()).items()
    assert str(path) == "timelines/limits.it.threads.svg"
    assert origin(text) is Origin.OURS
    assert "p on s: failed" in text


def test_a_case_has_a_picture_with_a_number_and_its_name_is_escaped() -> None:
    spec = a_class(a_test("it"))
    found = found_of(case="<script>-1")
    ((path, text),) = pictures(spec, found).items()
    assert str(path) == "timelines/limits.it.threads.1.svg"
    assert "<script" not in text
    page = next(text for name, text in pages(a_suite(spec), found).items() if "limits" in str(name))
    tags = Tags()
    tags.feed(page.split("-->", 1)[1])
    assert tags.seen == ["details", "summary"]


@given(TEXT, TEXT, TEXT)
@settings(deadline=None)
def test_a_page_has_no_markup_of_a_name(fault: str, error: str, case: str) -> None:
    made = an_entry(errors=[an_error(error=error)], faults=[a_fault(fault)])
    spec, found = a_class(a_test("it")), found_of(case=case, timeline=made)
    page = next(text for name, text in pages(a_suite(spec), found).items() if "limits" in str(name))
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(page.split("-->\n", 1)[1])
    inline = [child for token in tokens for child in token.children or ()]
    assert "html_inline" not in {child.type for child in inline}
    blocks = [token.content for token in tokens if token.type == "html_block"]
    assert [re.sub(">.*<", "><", block.split("\n")[0]) for block in blocks] == [
        "<details>",
        "</details>",
    ]
    tags = Tags()
    tags.feed("".join(blocks))
    assert tags.seen == ["details", "summary"]
    (image,) = (child for child in inline if child.type == "image")
    assert str(image.attrGet("src")).startswith("timelines/limits.it.threads")


def test_without_results_a_page_has_no_time_line() -> None:
    for text in pages(a_suite(a_class(a_test("it", layer=Layer.CHAOS)))).values():
        assert "Time line" not in text


def test_the_description_has_a_sentence_for_the_pools_that_are_left_out() -> None:
    assert "3 more pools are left out." in described(read(pools_left_out=3))
