"""How a check fails: with everything that is wrong, in one AssertionError."""

__tracebackhide__ = True  # a failure is shown where the test failed


def demand(*complaints: str | None) -> None:
    """Raise AssertionError with all complaints that are not None."""
    said = [text for text in complaints if text]
    if said:
        raise AssertionError("; ".join(said))


def broken(said: list[str]) -> None:
    """Raise AssertionError naming every standing invariant that is broken."""
    if said:
        raise AssertionError("\n  ".join(["standing invariants broken:", *said]))
