"""The terms of a generated load: the keys of the step `load`, as a generated test passes them."""

from collections.abc import Mapping
from typing import Required, TypedDict

from poolspec.vocabulary import Operation, Runner, Via


class LoadTerms(TypedDict, total=False):
    """The terms of one load, stated once for both concurrency modes. Times are in seconds.

    A load has one of `operations`, `each` and `requests`, or runs until it is stopped.
    """

    clients: Required[int]
    operations: int | Mapping[Operation, int]
    """Operations that the clients share: a number, of the kinds of `mix`, or numbers by kind."""
    each: int
    """Operations of each client, of the kinds of `mix`."""
    mix: Mapping[Operation, int]
    """Shares of the kinds of operations; only reads if left out."""
    hold: tuple[float, float]
    """The range of the time for which an operation keeps its connection."""
    timeout: float
    """The timeout of each acquire; the pool's if left out."""
    via: Via
    runner: Runner
    """Threads form only: where the clients run."""
    requests: Mapping[str, int]
    """Requests to the test's web application that the clients share, with their numbers."""
