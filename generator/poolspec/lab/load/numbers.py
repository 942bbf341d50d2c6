"""A set of whole numbers that lie close together, at one bit each."""

from collections.abc import Iterator

SPAN = 4096
"""Numbers in one block."""


class Numbers:
    """Whole numbers from 0 on. One thread at a time may use it."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytearray] = {}

    def add(self, number: int) -> None:
        """Add a number."""
        block, place = divmod(number, SPAN)
        bits = self._blocks.setdefault(block, bytearray(SPAN // 8))
        bits[place >> 3] |= 1 << (place & 7)

    def blocks(self) -> Iterator[tuple[int, int, set[int]]]:
        """Yield the numbers in parts: the lowest number of a part, the end of it, its numbers."""
        for block, bits in sorted(self._blocks.items()):
            low = block * SPAN
            found = {low + n for n in range(SPAN) if bits[n >> 3] >> (n & 7) & 1}
            yield low, low + SPAN, found

    def __bool__(self) -> bool:
        """Return whether there is a number."""
        return bool(self._blocks)
