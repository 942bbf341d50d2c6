"""The sampler: a thread that sees on the real clock which acquires of threads wait.

On a virtual clock the lab knows when all actors wait. On the real one, the sampler looks every few
milliseconds at the calls that are under way. An acquire is seen waiting when

* its thread waits for a lock (see `probe`), and not for one of the lab or of `logging`, and
* no code of the lab, such as a connect or a hook, runs for it.

**For certain** it waits only if nothing could have assigned a connection to it that it has not got
yet: a pool may take the head of its queue under its lock, and wake it a moment later. So all calls
of the pool that are under way must be acquires that wait in the same way, and so must all threads
that are neither the lab's nor older than the test: the pool may have helpers. Nor may a thread wait
to enter a `with` block on a lock, because such a lock protects the pool's state, and the acquire
may not be in the queue yet.

All this is read in one look, during which no other thread runs Python code. An entry is logged only
if no call has begun or ended and the log has not grown since before the look, so the log has it in
the place where it was true. Otherwise the next look decides. An acquire that is not certain to wait
is logged when two looks in a row saw it.

The sampler rests between looks for at least `TICK`, and `SHARE` times as long as it used the
processor for a look (the shorter of the last two), so it costs a load about two percent. It takes
no part in the test: it is no actor, is not reported as a thread that was left, and does not run in
a forked child.
"""

import dis
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import FrameType
from weakref import WeakSet

from poolspec.lifecycle.frames import current_frames
from poolspec.witness.calls import ACQUIRE, PoolCall
from poolspec.witness.probe import Probe, ThreadId, probe
from poolspec.witness.witness import Witness

TICK = 0.005
"""Real seconds between two looks, at least."""
SHARE = 50
"""How much longer the sampler rests than it works."""
_LAB = "poolspec"
_NOT_OF_POOLS = (_LAB, "logging")
"""Packages that take locks which are not the pool's."""
_ENTERS = dis.opmap.get("BEFORE_WITH")
"""The instruction that enters a `with` block, in versions of Python that have one."""


class Sampler:
    """Looks at the calls of one test until it is stopped."""

    def __init__(self, witness: Witness, seen_by: Probe | None = None) -> None:
        self._witness = witness
        self._probe = seen_by or probe()
        self._older = frozenset(current_frames())
        """Identifiers of the threads that are not the pool's."""
        self._helpers: frozenset[ThreadId] = frozenset()
        self._threads: dict[int | None, threading.Thread] = {}
        """The threads at the latest look, by their identifiers."""
        self._of_lab = WeakSet[threading.Thread]()
        self._before: frozenset[int] = frozenset()
        """Tickets of the acquires that the look before saw waiting."""
        self._over = threading.Event()
        self.thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    @classmethod
    def beside(cls, clock: object, witness: Witness) -> "Sampler":
        """Return a sampler, which looks if the clock itself does not know when all wait."""
        sampler = cls(witness)
        if not hasattr(clock, "at_rest"):
            sampler.thread.start()
        return sampler

    def stop(self) -> None:
        """Stop; no look is under way any more when this returns."""
        self._over.set()
        if self.thread.is_alive():
            self.thread.join()

    def _run(self) -> None:
        rest, before = TICK, 0.0
        while not self._over.wait(rest):
            began = time.thread_time()
            self.look()
            took = time.thread_time() - began
            rest, before = max(TICK, SHARE * min(took, before)), took
        self._probe.close()

    def look(self) -> None:
        """Log which acquires wait, unless something happens during the look."""
        calls = self._witness.calls
        under_way = calls.under_way()
        if not under_way:
            self._before = frozenset()
            return
        self._probe.watch([*map(_thread_of, under_way), *self._helpers])
        moment = self._witness.moment()
        waits, certain = self._waiting(calls.under_way())
        again = self._before
        self._before = frozenset(call.ticket for call in waits)
        sure = [call for call in waits if call.pool in certain]
        unsure = [call for call in waits if call.pool not in certain and call.ticket in again]
        self._witness.see_all(sure, unsure, moment)

    def _waiting(self, calls: Collection[PoolCall]) -> tuple[list[PoolCall], set[int]]:
        """Return the acquires that wait, and the pools whose acquires wait for certain."""
        self._threads = {thread.ident: thread for thread in threading.enumerate()}
        # From here on, the GIL is not released: all of this is true at one moment.
        frames = current_frames()
        helpers = {ident for ident in frames if self._is_helper(ident, frames[ident])}
        asked = [call for call in calls if call.name == ACQUIRE and not call.busy]
        blocked = self._probe.blocked([*map(_thread_of, asked), *self._helpers])
        waits = [call for call in asked if _thread_of(call) in blocked and _in_pool(call, frames)]
        unsure = set(calls).difference(waits)
        unsure.update(call for call in waits if _enters_block(frames[call.thread]))
        rest = helpers <= {thread.ident for thread in blocked}
        certain = {call.pool for call in waits} - {call.pool for call in unsure} if rest else set()
        self._helpers = frozenset(_identified(helpers))
        return waits, certain

    def _is_helper(self, ident: int, frame: FrameType) -> bool:
        """Return whether a thread may be the pool's own.

        A thread of the lab is recognised once. The frames of a thread that runs may change
        between two reads of `f_back`, which Python 3.11 does not survive in every case.
        """
        if ident in self._older or ident == self.thread.ident:
            return False
        thread = self._threads.get(ident)
        if thread in self._of_lab:
            return False
        packages = [_package_of(outer) for outer in _outwards(frame)]
        if thread is not None and _began_in_lab(packages):
            self._of_lab.add(thread)
        return _LAB not in packages


def _began_in_lab(packages: Sequence[str]) -> bool:
    """Return whether the first function of a thread, by its packages outwards, is the lab's."""
    first = next((one for one in reversed(packages) if one != "threading"), "")
    return first == _LAB


def _thread_of(call: PoolCall) -> ThreadId:
    return ThreadId(call.thread, call.native)


def _in_pool(call: PoolCall, frames: Mapping[int, FrameType]) -> bool:
    """Return whether the thread of a call is in code that may be the pool's."""
    frame = frames.get(call.thread)
    return frame is not None and _package_of(frame) not in _NOT_OF_POOLS


def _enters_block(frame: FrameType) -> bool:
    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == _ENTERS


def _package_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while isinstance(frame, FrameType):  # a frame that has just ended may be followed by garbage
        yield frame
        frame = frame.f_back


def _identified(idents: Collection[int]) -> Iterator[ThreadId]:
    """Yield the threads that Python has started; the others stay unknown."""
    for thread in threading.enumerate():
        ident, native = thread.ident, thread.native_id
        if ident is not None and native is not None and ident in idents:
            yield ThreadId(ident, native)
