"""A sentence of a page, and the sentences under it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """One item of a list, and the items under it."""

    text: str
    children: tuple["Sentence", ...] = ()
    is_step: bool = False
    """The sentence is that of a step, and is numbered."""
