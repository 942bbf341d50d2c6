"""The part of a test that runs in a forked child, on copies of the test's pools."""

from collections.abc import Callable

from poolspec.invariants.complaints import demand
from poolspec.lab.threads.actors import Actors
from poolspec.lab.threads.pool import ThreadsContext
from poolspec.lifecycle.forking import in_child

__tracebackhide__ = True  # a failure is shown where the test failed


def run_in_child(context: ThreadsContext, actors: Actors, work: Callable[[], None]) -> None:
    """Do work in a forked child, then close the child's pools there.

    Raises AssertionError with the message of an error in the child, or if it leaves a socket open.
    """
    in_child(lambda: _live(context, actors, work))


def _live(context: ThreadsContext, actors: Actors, work: Callable[[], None]) -> None:
    """In the child: do the work and leave nothing. The parent's connections do not count."""
    context.observer.forget()
    actors.forget()
    for pool in context.pools:
        pool.account.is_partial = True  # it counts for the parent
    inherited = {pool: set(pool.sockets.open()) for pool in context.pools}
    work()
    actors.join_all()
    for pool in context.pools:
        pool.release_all()
        pool.close()
        left = pool.sockets.open().keys() - inherited.get(pool, set())
        demand(f"{len(left)} sockets of the child are open after close" if left else None)
