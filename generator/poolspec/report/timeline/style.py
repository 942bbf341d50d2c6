"""Sizes and colours of the picture. The style is in the picture: it is shown as an image.

Each colour has a value for a light background and one for a dark background. In use and idle differ
in brightness, so the areas are distinct without colours.
"""

WIDTH = 940.0
LEFT, RIGHT = 46.0, 246.0
"""The room for numbers at the left, and for names at the right."""
PLOT = WIDTH - LEFT - RIGHT
END = LEFT + PLOT
NAMES_AT = END + 12
HEAD = 50.0
"""The height of the heading."""
ROW = 17.0
"""The height of a row of faults or errors."""
SIZES_HEIGHT, WAITING_HEIGHT, RATE_HEIGHT = 136.0, 56.0, 40.0
GAP = 12.0
MOST_ROWS = 8
"""The most rows of faults, and of errors. Of more kinds, the last row has all others."""
CHARACTER, OF_TITLE = 6.6, 8.6
"""About the width of a character, and of one of the title."""
LONGEST_NAME = int((RIGHT - 18) / CHARACTER)
LONGEST_TITLE = int((WIDTH - 2 * 14) / OF_TITLE)

_COLOURS = {
    ".ground": ("fill", "#ffffff", "#0d1117"),
    "text": ("fill", "#1f2328", "#e6edf3"),
    ".soft": ("fill", "#59636e", "#9198a1"),
    ".grid": ("stroke", "#d1d9e0", "#30363d"),
    ".axis": ("stroke", "#818b98", "#656c76"),
    ".in_use": ("fill", "#1f6feb", "#388bfd"),
    ".idle": ("fill", "#b6d7ff", "#1d3b66"),
    ".pending": ("fill", "#e3a008", "#d29922"),
    ".peak": ("stroke", "#0a3069", "#a5d6ff"),
    ".limit": ("stroke", "#59636e", "#9198a1"),
    ".waiting": ("stroke", "#8250df", "#bc8cff"),
    ".waited": ("fill", "#8250df", "#bc8cff"),
    ".rate": ("stroke", "#1a7f37", "#3fb950"),
    ".rated": ("fill", "#1a7f37", "#3fb950"),
    ".fault": ("fill", "#cf222e", "#f85149"),
    ".cut": ("stroke", "#cf222e", "#f85149"),
    ".error": ("fill", "#a40e26", "#ff7b72"),
}
_SHAPES = """\
text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.title{font-weight:600;font-size:13px}
.grid,.axis{stroke-width:1}
.peak{fill:none;stroke-width:1}
.limit{stroke-width:1;stroke-dasharray:5 3}
.waiting{fill:none;stroke-width:1.6;stroke-linejoin:round}
.rate{fill:none;stroke-width:1.2}
.waited,.rated{fill-opacity:.18}
.band{fill-opacity:.12}
.cut{stroke-width:1.2;stroke-dasharray:2 2}
"""


def css() -> str:
    """Return the style sheet of the picture."""
    light = "".join(f"{name}{{{what}:{of}}}\n" for name, (what, of, _) in _COLOURS.items())
    dark = "".join(f"{name}{{{what}:{of}}}\n" for name, (what, _, of) in _COLOURS.items())
    return f"{_SHAPES}{light}@media (prefers-color-scheme:dark){{\n{dark}}}\n"


def shortened(text: str, longest: int) -> str:
    """Return a text of at most this many characters; of a longer one the start and a mark."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
