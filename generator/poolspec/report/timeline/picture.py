"""The picture of a time line, as an SVG file: equal input gives equal bytes.

From top to bottom: the heading; a row for each fault; for each pool its connections as stacked
areas, its waiting acquires and its throughput as lines, with the faults as bands; a row for each
kind of error; the axis of time. A page shows the picture as an image, so it has no links and no
scripts; its description states the same in words.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from poolspec.report.timeline import panels, rows, style
from poolspec.report.timeline.reading import Course, Timeline
from poolspec.report.timeline.scale import Scale, ticks
from poolspec.report.timeline.svg import element, text_of, words
from poolspec.report.timeline.words import described, lasts

MARGIN = 14.0
SUB_HEADING = 18.0
"""The height of the line that names one of several pools."""
AXIS = 28.0


@dataclass(frozen=True, slots=True)
class Heading:
    """The two lines above a picture."""

    title: str
    about: str


def draw(timeline: Timeline, heading: Heading, clock: str) -> str:
    """Return the picture of a time line; `clock` is the kind of the test's clock."""
    drawing = _Drawing(timeline)
    body = [*drawing.all(clock)]
    height = drawing.y
    size = {"width": style.WIDTH, "height": height}
    box = f'viewBox="0 0 {style.WIDTH:.0f} {height:.0f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} width="{style.WIDTH:.0f}" '
        f'height="{height:.0f}" role="img" aria-labelledby="title desc">\n'
        f'<title id="title">{text_of(heading.title)}</title>\n'
        f'<desc id="desc">{text_of(described(timeline))}</desc>\n'
        f"<style>{style.css()}</style>\n"
        + "\n".join(
            [
                element("rect", x=0.0, y=0.0, **size, rx=6.0, kind="ground"),
                words(style.shortened(heading.title, style.LONGEST_TITLE), MARGIN, 22, "title"),
                words(style.shortened(heading.about, style.LONGEST_TITLE), MARGIN, 39, "soft"),
                *filter(None, body),
            ]
        )
        + "\n</svg>\n"
    )


class _Drawing:
    """Draws the parts of one picture from top to bottom."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._time = Scale(timeline.span, style.LEFT, style.PLOT)
        self._ended = {
            band: rows.ends(band, lasts(band.fault), timeline.span) for band in timeline.faults
        }
        self.y = style.HEAD
        """How far down the picture goes."""

    def all(self, clock: str) -> Iterator[str]:
        """Yield all parts below the heading."""
        timeline = self._timeline
        faults, errors = rows.fault_rows(timeline), rows.error_rows(timeline)
        yield from rows.draw_faults(faults, self._ended, self._time, self.y)
        self.y += len(faults) * style.ROW + style.GAP
        panels_at = self.y
        several = len(timeline.courses) + timeline.left_out > 1
        for course in timeline.courses:
            yield from self._pool(course, several=several)
        if not timeline.courses:
            yield words("The test made no pool.", style.LEFT, self.y + 12, "soft")
            self.y += 2 * style.GAP
        rows_of_errors = self.y
        self.y += len(errors) * style.ROW
        yield from rows.shade(timeline.faults, self._ended, self._time, panels_at, self.y)
        yield from rows.draw_errors(errors, self._time, rows_of_errors)
        yield from self._axis(clock)
        self.y += AXIS

    def _pool(self, course: Course, *, several: bool) -> Iterator[str]:
        if several:
            yield words(f"pool {course.pool}", style.LEFT, self.y + 8, "soft")
            self.y += SUB_HEADING
        timeline = self._timeline
        bottom = self.y + panels.height(course, timeline)
        yield from panels.panels(course, timeline, self._time, self.y)
        self.y = bottom + style.GAP

    def _axis(self, clock: str) -> Iterator[str]:
        span, unit, y = self._timeline.span, self._timeline.unit, self.y
        yield element("line", x1=style.LEFT, x2=style.END, y1=y, y2=y, kind="axis")
        for tick in ticks(span, 9, unit=unit.seconds):
            x = self._time.place(tick)
            yield element("line", x1=x, x2=x, y1=y, y2=y + 4, kind="axis")
            yield words(unit.say(tick), x, y + 16, "soft", anchor="middle")
        said = f"{unit.name}, {clock} clock" if self._timeline.seconds else "events; no time passed"
        yield words(said, style.NAMES_AT, y + 16, "soft")
