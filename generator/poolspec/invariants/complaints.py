"""How a check fails: with one AssertionError that lists everything that is wrong."""

__tracebackhide__ = True  # a failure is shown where the test failed


class PremiseError(AssertionError):
    """Raised where a pool does otherwise than a test takes for granted."""


def demand(*complaints: str | None) -> None:
    """Raise AssertionError with all complaints that are not None."""
    found = [text for text in complaints if text]
    if found:
        raise AssertionError("; ".join(found))
