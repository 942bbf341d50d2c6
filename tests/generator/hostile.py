"""Strings that have broken generators of code: in literals, docstrings, comments, templates."""

from hypothesis import strategies as st

FRAGMENTS = (
    *('"', "'", '"""', "'''", "\\", '\\"', "\\\\", '"" "', "\\N{BULLET}", "\\x41", "\\"),
    *("\n", "\r", "\r\n", "\x00", "\x0b", "\x0c", "\x1c", "\x1f", "\x7f", "\x85", "\t", "\x1b[2J"),
    *("\u2028", "\u2029", "\u202e", "\u200b", "\ufeff", "\xa0"),
    *("{{ 7 * 7 }}", "{% raw %}", "{# x", "#}", "{", "}", "%s", "%(x)s", "{0}", "$x"),
    *(
        "# step 1",
        "  # at the end",
        "#",
        "\nimport os\n",
        "\rimport os\r",
        '"""\nimport os\n"""',
        "); exit(",
        "__x__",
    ),
    *(
        "|",
        "`",
        "```",
        "<script>",
        "-->",
        "<!--",
        "[a](b)",
        "*",
        "_",
        "~~",
        "&lt;",
        "\n# Head\n",
        "1. ",
    ),
    *("a", "word ", "Ünïcode ", "±", "💥", "x" * 130, "long words " * 30),
)

hostile_text = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), max_size=7).map("".join)
"""Any text, and more often than by chance one that someone would attack with.

Without surrogates: no YAML holds them (see tests/language/test_language_hostile.py), and Python
3.13 takes them in no docstring."""
