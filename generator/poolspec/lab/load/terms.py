"""The terms of a generated load: the keys of the step `load`, as a generated test passes them."""

from collections.abc import Mapping
from typing import Any, Required, TypedDict

from poolspec.vocabulary import Arrivals, Operation, Runner, Via


class LoadTerms(TypedDict, total=False):
    """The terms of one load, stated once for both concurrency modes. Times are in seconds.

    A load ends after `operations`, `each`, `requests` or `duration`, or when it is stopped.
    """

    clients: Required[int]
    pool: Any
    """The pool to borrow from; the test's own if left out."""
    operations: int | Mapping[Operation, int]
    """Operations that the clients share: a number, of the kinds of `mix`, or numbers by kind."""
    each: int
    """Operations of each client, of the kinds of `mix`."""
    duration: float
    """The time for which the clients do operations of the kinds of `mix`."""
    requests: Mapping[str, int]
    """Requests to the test's web application that the clients share, with their numbers."""
    mix: Mapping[Operation, int]
    """Shares of the kinds of operations; only reads if left out."""
    statements: Mapping[Operation, tuple[str, ...]]
    """The statements of a kind, instead of its usual ones."""
    rate: float
    """Operations per second of all clients, due whether the pool keeps up or not."""
    arrivals: Arrivals
    """The spacing of the operations of a load with a rate; even if left out."""
    seed: int
    """Chooses the times of Poisson arrivals."""
    ramp: float
    """The time within which the clients start, or the rate rises from 0."""
    warm_up: int | float
    """Operations (a whole number) or the time at the beginning that do not count."""
    hold: tuple[float, float]
    """The range of the time for which an operation keeps its connection."""
    think: tuple[float, float]
    """The range of the time for which a client pauses after an operation."""
    timeout: float
    """The timeout of each acquire; the pool's if left out."""
    via: Via
    runner: Runner
    """Threads form only: where the clients run."""
