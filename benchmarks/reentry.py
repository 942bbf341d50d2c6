"""Re-enters pools in many processes, and counts the processes that hang or lose a connection.

In each process the main thread and two more threads borrow, read and change pools. Meanwhile the
pool is called in the same thread by

* `signal`: a signal handler, at random moments, thousands of times in each process;
* `collector`: finalizers. The garbage collector runs at every allocation that may start it, and
  each finalizer leaves garbage for the next run.

A call must work, or be refused at once. The script needs no server: the connections lead nowhere.
The pool need not be installed, so the script also runs on other versions of Python with PyMySQL:

    PYTHONPATH=pool python3.12 benchmarks/reentry.py --processes 200
"""

import argparse
import faulthandler
import gc
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import steadypool
from steadypool import Connection, ConnectionPool

DUMP = signal.SIGUSR2
REFUSALS = tuple(
    getattr(steadypool, name) for name in ("ReentrantCallError",) if hasattr(steadypool, name)
)
EXPECTED = (steadypool.PoolTimeoutError, steadypool.PoolClosedError)


# --- connections ---------------------------------------------------------------------------------


class Plain:
    """A connection with the methods that DB-API requires."""

    def cursor(self) -> "Plain":
        """Return the connection, which serves as its cursor too."""
        return self

    def execute(self, statement: str) -> None:
        """Accept any statement."""

    def commit(self) -> None:
        """Accept a commit."""

    def rollback(self) -> None:
        """Accept a rollback."""

    def close(self) -> None:
        """Do nothing: there is no socket."""


def own() -> Connection:
    """Make a connection of the pool's driver in the state after sign-in, without a server."""
    connection = Connection(defer_connect=True, ssl_disabled=True)
    connection.server_status = 0x0002
    connection._sock = socket.socket()
    return connection


# --- one process ---------------------------------------------------------------------------------


class Process:
    """The calls of one process: those of its threads, and those that re-enter the pool."""

    def __init__(self, seed: int, seconds: float) -> None:
        self.random = random.Random(seed)
        self.until = time.monotonic() + seconds
        self.made = Counter[str]()
        self.errors: list[str] = []
        self._loans: list[tuple[ConnectionPool, Any]] = []
        self._events = 0
        self._new_pool()

    def run(self) -> None:
        """Work until the time is over, then check that the last pool has lost nothing."""
        workers = [threading.Thread(target=self._work, args=(n,)) for n in range(2)]
        for worker in workers:
            worker.start()
        while time.monotonic() < self.until:
            self._call(self.random.choice(METHODS), self.pool)
        for worker in workers:
            worker.join()

    def check(self) -> None:
        """Release everything and compare the pool's counts."""
        while self._loans:
            pool, connection = self._loans.pop()
            pool.release(connection)
        stats = self.pool.stats()
        if stats.in_use or stats.waiting or stats.total_connections != stats.pool_size:
            self.errors.append(f"lost something: {self.pool!r}")
        self.pool.close()
        if self.pool.stats().total_connections:
            self.errors.append(f"not closed: {self.pool!r}")

    def reenter(self) -> None:
        """Call the pool from a signal handler or a finalizer."""
        try:
            self._call(self.random.choice(METHODS), self.pool, "re-entered")
        except REFUSALS:
            self.made["refused"] += 1

    def _work(self, seed: int) -> None:
        chance = random.Random(seed)
        while time.monotonic() < self.until:
            self._call(chance.choice((borrow, borrow, read)), self.pool)

    def _call(self, method: "Method", pool: ConnectionPool, how: str = "called") -> None:
        self.made[how] += 1
        try:
            method(self, pool)
        except EXPECTED as error:
            if isinstance(error, steadypool.PoolClosedError) and pool is self.pool:
                self._new_pool()
        except REFUSALS:
            raise
        except BaseException as error:
            self.errors.append(f"{how} {method.__name__}: {error!r}")

    def _new_pool(self) -> None:
        chance = self.random
        listeners = (self._listen,) if chance.random() < 0.5 else ()
        self.pool = ConnectionPool(
            size=chance.randint(1, 3),
            max_overflow=chance.randint(0, 1),
            timeout=0.003,
            min_size=chance.randint(0, 1),
            connect=chance.choice((Plain, own)),
            listeners=listeners,
        )

    def _listen(self, event: steadypool.PoolEvent) -> None:
        self._events += 1

    def lend(self, pool: ConnectionPool, connection: Any) -> None:
        """Leave a connection on loan; the signal handler may release it."""
        self._loans.append((pool, connection))

    def take_back(self) -> None:
        """Release a connection that is on loan, to the pool that it came from."""
        with suppress(IndexError):
            pool, connection = self._loans.pop()
            pool.release(connection)


Method = Callable[[Process, ConnectionPool], None]


def borrow(process: Process, pool: ConnectionPool) -> None:
    pool.release(pool.acquire())


def borrow_at_once(process: Process, pool: ConnectionPool) -> None:
    pool.release(pool.acquire(timeout=0))


def borrow_for_a_block(process: Process, pool: ConnectionPool) -> None:
    with pool.connection():
        pass


def lend(process: Process, pool: ConnectionPool) -> None:
    process.lend(pool, pool.acquire(timeout=0))


def take_back(process: Process, pool: ConnectionPool) -> None:
    process.take_back()


def read(process: Process, pool: ConnectionPool) -> None:
    pool.stats()
    pool.loans()
    repr(pool)


def resize(process: Process, pool: ConnectionPool) -> None:
    pool.resize(process.random.randint(1, 3), process.random.randint(0, 1))


def suspend_and_resume(process: Process, pool: ConnectionPool) -> None:
    pool.suspend()
    pool.resume()


def maintain(process: Process, pool: ConnectionPool) -> None:
    pool.maintain()


def clear(process: Process, pool: ConnectionPool) -> None:
    pool.clear()


def close(process: Process, pool: ConnectionPool) -> None:
    if process.random.random() < 0.1:
        pool.close()


METHODS: tuple[Method, ...] = (
    *(borrow, borrow_at_once, borrow_for_a_block, lend, take_back, take_back),
    *(read, resize, suspend_and_resume, maintain, clear, close),
)


@contextmanager
def by_signal(process: Process) -> Iterator[None]:
    """Re-enter from a signal handler at random moments."""
    chance = random.Random(process.random.random())

    def arm() -> None:
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(20e-6, 300e-6))

    def handle(*_: object) -> None:
        process.reenter()
        if time.monotonic() < process.until:
            arm()

    signal.signal(signal.SIGALRM, handle)
    arm()
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def by_collector(process: Process) -> Iterator[None]:
    """Re-enter from finalizers, at every allocation at which the collector may run."""

    class Garbage:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            if time.monotonic() < process.until:
                process.reenter()
                Garbage()

    gc.freeze()  # the collector looks at new objects only, and is fast
    gc.set_threshold(1)
    Garbage()
    yield
    gc.set_threshold(700)


WAYS = {"signal": by_signal, "collector": by_collector}


def run_one(way: str, seed: int, seconds: float) -> int:
    """Be one process; print what it did, and return its exit code."""
    faulthandler.register(DUMP, all_threads=True)
    sys.setswitchinterval(100e-6)  # the threads change places often
    process = Process(seed, seconds)
    with WAYS[way](process):
        process.run()
    process.check()
    print(process.made["called"], process.made["re-entered"], process.made["refused"])
    for error in process.errors[:5]:
        print(error, file=sys.stderr)
    return 1 if process.errors else 0


# --- all processes -------------------------------------------------------------------------------


def watch(way: str, seed: int, seconds: float, deadline: float) -> tuple[str, str]:
    """Run one process; return how it ended, and what it printed."""
    command = [sys.executable, __file__, "--one", way, str(seed), "--seconds", str(seconds)]
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    try:
        out, err = child.communicate(timeout=deadline + seconds)
    except subprocess.TimeoutExpired:
        child.send_signal(DUMP)
        time.sleep(0.3)
        child.kill()
        return "hung", child.communicate()[1]
    return ("ended", out) if child.returncode == 0 else ("failed", err)


def run_all(way: str, processes: int, seconds: float, deadline: float) -> bool:
    """Run many processes; print how many hung or failed, and how the first of them did."""
    ends, totals, shown = Counter[str](), Counter[str](), ""
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as runner:
        one = partial(watch, way, seconds=seconds, deadline=deadline)
        for end, said in runner.map(one, range(processes)):
            ends[end] += 1
            if end == "ended":
                called, reentered, refused = map(int, said.split())
                totals.update({"called": called, "re-entered": reentered, "refused": refused})
            else:
                shown = shown or said
    print(
        f"{way}: {processes} processes, {ends['hung']} hung, {ends['failed']} failed; "
        f"{totals['called']} calls, {totals['re-entered']} re-entered, {totals['refused']} refused"
    )
    if shown:
        print("\n".join(shown.splitlines()[:40]))
    return not ends["hung"] and not ends["failed"]


def main() -> int:
    parser = argparse.ArgumentParser(description="Re-enter pools in many processes.")
    parser.add_argument("--processes", type=int, default=20, help="of each way")
    parser.add_argument("--seconds", type=float, default=0.5, help="that each process works")
    parser.add_argument("--deadline", type=float, default=20.0, help="seconds until one has hung")
    parser.add_argument("--way", choices=WAYS, help="only one way")
    parser.add_argument("--one", nargs=2, metavar=("WAY", "SEED"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        return run_one(given.one[0], int(given.one[1]), given.seconds)
    print(f"Python {sys.version.split()[0]}, {steadypool.__file__}", flush=True)
    ways = [given.way] if given.way else list(WAYS)
    good = [run_all(way, given.processes, given.seconds, given.deadline) for way in ways]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
