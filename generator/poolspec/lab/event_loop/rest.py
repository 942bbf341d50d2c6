"""The rest of the event loop, at which the witness sees what waits."""

import asyncio

from poolspec.lab.event_loop.loop import LabLoop
from poolspec.witness.calls import call_of
from poolspec.witness.witness import Witness


def watch_loop(witness: Witness) -> None:
    """Let the witness look each time that the running event loop is at rest.

    An acquire in which real work is under way, such as a connect or a ping, does not wait in a
    queue.
    """
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LabLoop)

    def rest() -> None:
        works = {call_of(work.context) for work in loop.under_way()}
        witness.rest(besides=[call for call in works if call is not None])

    loop.at_rest = rest
