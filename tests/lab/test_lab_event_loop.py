"""The lab's event loop: virtual time, the real work that holds it up, and rest."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

import pytest

from poolspec.lab.aio.clock import RealAsyncClock
from poolspec.lab.event_loop.clock import LoopClock
from poolspec.lab.event_loop.loop import LabLoop
from poolspec.lab.threads.clock import ClockAbortedError

DAY = 86_400.0
ANSWER_AFTER = 0.05
"""Real seconds that the server takes to answer."""

Work = Callable[[LoopClock], Coroutine[Any, Any, None]]


def run(work: Work) -> None:
    """Run a test in virtual time."""

    async def main() -> None:
        await work(LoopClock())

    with asyncio.Runner(loop_factory=LabLoop) as runner:
        runner.run(main())


@contextmanager
def instant() -> Iterator[None]:
    """Check that the block takes almost no real time."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 2.0


@contextmanager
def taking(clock: LoopClock, seconds: float) -> Iterator[None]:
    """Check how long the block takes on the clock, exactly."""
    began = clock.now()
    yield
    assert clock.now() - began == seconds


class QueuePool:
    """A pool made of `asyncio.Queue`, like many."""

    def __init__(self, size: int) -> None:
        self._idle: asyncio.Queue[int] = asyncio.Queue()
        for number in range(size):
            self._idle.put_nowait(number)

    async def acquire(self, timeout: float | None = None) -> int:
        return await asyncio.wait_for(self._idle.get(), timeout)

    def release(self, connection: int) -> None:
        self._idle.put_nowait(connection)


# --- virtual time --------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.1, 0.3, 1.0, 30.1, 1_800.0])
def test_a_timeout_of_a_pool_made_of_a_queue_is_exact(seconds: float) -> None:
    async def work(clock: LoopClock) -> None:
        pool = QueuePool(1)
        await pool.acquire(seconds)
        with taking(clock, seconds), pytest.raises(TimeoutError):
            await pool.acquire(seconds)

    with instant():
        run(work)


def test_a_hand_over_comes_before_a_later_timeout() -> None:
    async def work(clock: LoopClock) -> None:
        pool = QueuePool(1)
        held = await pool.acquire()
        asyncio.get_running_loop().call_later(29.9, pool.release, held)
        with taking(clock, 29.9):
            assert await pool.acquire(30) == held

    with instant():
        run(work)


def test_a_timeout_of_a_condition_is_exact() -> None:
    async def work(clock: LoopClock) -> None:
        condition = asyncio.Condition()
        with taking(clock, 12.5), pytest.raises(TimeoutError):
            async with asyncio.timeout(12.5), condition:
                await condition.wait()

    with instant():
        run(work)


def test_sleep_and_timers_are_exact() -> None:
    async def work(clock: LoopClock) -> None:
        loop = asyncio.get_running_loop()
        rung: list[float] = []
        loop.call_later(3, lambda: rung.append(clock.now()))
        loop.call_at(loop.time() + 2, lambda: rung.append(clock.now()))
        await asyncio.sleep(3)
        await clock.sleep(0.5)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout_at(loop.time() + 4.5):
                await asyncio.Event().wait()
        assert (rung, clock.now()) == ([2.0, 3.0], 8.0)

    with instant():
        run(work)


def test_a_wait_longer_than_the_longest_select_is_exact() -> None:
    async def work(clock: LoopClock) -> None:
        await asyncio.sleep(40 * DAY)
        assert clock.now() == 40 * DAY
        await clock.waiter().wait(clock.now() + 400 * DAY)
        assert clock.now() == 440 * DAY

    with instant():
        run(work)


def test_waits_that_end_at_the_same_time_end_in_the_order_in_which_they_began() -> None:
    async def work(clock: LoopClock) -> None:
        ended: list[int] = []

        async def wait(number: int) -> None:
            await asyncio.sleep(number / 10)
            await asyncio.sleep(5 - number / 10)
            ended.append(number)

        async with asyncio.TaskGroup() as tasks:
            for number in range(40):
                tasks.create_task(wait(number))
        assert ended == list(range(40))
        assert clock.now() == 5

    run(work)


def test_a_cancelled_timer_lets_no_time_pass() -> None:
    async def work(clock: LoopClock) -> None:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(1, print)
        loop.at_rest = timer.cancel  # type: ignore[attr-defined]
        await asyncio.sleep(7)
        assert clock.now() == 7

    run(work)


def test_a_woken_waiter_returns_true_and_an_expired_one_false() -> None:
    async def work(clock: LoopClock) -> None:
        waiter = clock.waiter()
        asyncio.get_running_loop().call_later(2, waiter.wake)
        assert await waiter.wait(clock.now() + 3)
        assert not await clock.waiter().wait(clock.now() + 3)
        assert clock.now() == 5

    run(work)


def test_the_time_of_another_event_loop_is_refused() -> None:
    async def main() -> None:
        LoopClock()

    with pytest.raises(TypeError, match="LabLoop"):
        asyncio.run(main())


def test_time_passes_really_after_its_virtual_part() -> None:
    async def work(clock: LoopClock) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LabLoop)
        await asyncio.sleep(DAY)
        timer = asyncio.create_task(asyncio.sleep(0.05))
        await asyncio.sleep(0)
        loop.end_virtual_time()
        began = time.monotonic()
        await timer
        assert 0.04 <= time.monotonic() - began < 2.0
        assert DAY + 0.04 <= clock.now() < DAY + 2.0

    run(work)


def test_a_loop_that_was_interrupted_at_the_end_of_its_run_runs_again() -> None:
    loop = LabLoop()
    asyncio._set_running_loop(loop)
    loop._thread_id = threading.get_ident()
    with pytest.raises(RuntimeError, match="running"):
        loop.run_forever()
    loop.recover()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


# --- real work -----------------------------------------------------------------------------------


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
    writer.close()


class SlowServer:
    """Answers each line after 50 ms, from a thread."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = self._socket.getsockname()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            while received := connection.recv(100):
                time.sleep(ANSWER_AFTER)
                connection.sendall(received)


@pytest.fixture
def server() -> Iterator[SlowServer]:
    server = SlowServer()
    yield server
    server.close()


@asynccontextmanager
async def second_pending() -> AsyncIterator[None]:
    """Check that a timer of one second does not fire within the block, and fires after it."""
    loop = asyncio.get_running_loop()
    fired: list[float] = []
    loop.call_later(1, lambda: fired.append(loop.time()))
    began = loop.time()
    yield
    assert (fired, loop.time()) == ([], began)
    await asyncio.sleep(2)
    assert fired == [began + 1]


def test_a_stream_holds_up_time_while_it_waits_for_an_answer(server: SlowServer) -> None:
    async def work(_clock: LoopClock) -> None:
        async with second_pending():
            reader, writer = await asyncio.open_connection(*server.address)
            for _n in range(3):
                writer.write(b"ping\n")
                await writer.drain()
                assert await reader.readline() == b"ping\n"
            writer.close()
            await writer.wait_closed()

    run(work)


def test_a_read_with_a_timeout_holds_up_time(server: SlowServer) -> None:
    async def work(_clock: LoopClock) -> None:
        reader, writer = await asyncio.open_connection(*server.address)
        async with second_pending():
            for limited in (True, False):
                writer.write(b"ping\n")
                answer = reader.readline()
                if limited:
                    assert await asyncio.wait_for(answer, 0.5) == b"ping\n"
                else:
                    async with asyncio.timeout(0.5):
                        assert await asyncio.shield(answer) == b"ping\n"
        writer.close()

    run(work)


def test_an_idle_connection_does_not_hold_up_time(server: SlowServer) -> None:
    async def work(clock: LoopClock) -> None:
        _, writer = await asyncio.open_connection(*server.address)
        with instant():
            await asyncio.sleep(DAY)
        assert clock.now() == DAY
        writer.close()

    run(work)


def test_a_cancelled_read_does_not_hold_up_time(server: SlowServer) -> None:
    async def work(_clock: LoopClock) -> None:
        reader, writer = await asyncio.open_connection(*server.address)
        reading = asyncio.create_task(reader.readline())
        await asyncio.sleep(0)
        reading.cancel()
        with instant():
            await asyncio.sleep(DAY)
        writer.close()

    run(work)


def test_calls_of_a_socket_hold_up_time(server: SlowServer) -> None:
    async def work(_clock: LoopClock) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as plain:
            plain.setblocking(False)
            async with second_pending():
                await loop.sock_connect(plain, server.address)
                await loop.sock_sendall(plain, b"ping")
                assert await loop.sock_recv(plain, 10) == b"ping"

    run(work)


def test_a_drain_holds_up_time() -> None:
    async def work(_clock: LoopClock) -> None:
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        _, writer = await asyncio.open_connection(sock=ours)
        size = 1_000_000

        def read_late() -> None:
            time.sleep(ANSWER_AFTER)
            left = size
            while left:
                left -= len(theirs.recv(65_536))

        reading = threading.Thread(target=read_late)
        reading.start()
        async with second_pending():
            writer.write(b"x" * size)
            await writer.drain()
        await asyncio.to_thread(reading.join, 10.0)  # the loop still sends the last bytes
        writer.close()
        theirs.close()

    run(work)


def test_a_name_lookup_holds_up_time() -> None:
    async def work(_clock: LoopClock) -> None:
        async with second_pending():
            await asyncio.get_running_loop().getaddrinfo("localhost", 80)

    run(work)


def test_work_in_a_thread_holds_up_time() -> None:
    async def work(_clock: LoopClock) -> None:
        loop = asyncio.get_running_loop()
        async with second_pending():
            await asyncio.to_thread(time.sleep, ANSWER_AFTER)
            await loop.run_in_executor(None, time.sleep, ANSWER_AFTER)
            calls = [loop.run_in_executor(None, time.sleep, ANSWER_AFTER) for _n in range(2)]
            await asyncio.wait(calls, timeout=0.5)
            await asyncio.gather(*calls)

    run(work)


def test_work_of_another_event_loop_holds_up_time() -> None:
    async def work(_clock: LoopClock) -> None:
        other = asyncio.new_event_loop()
        thread = threading.Thread(target=other.run_forever)
        thread.start()
        async with second_pending():
            theirs = asyncio.run_coroutine_threadsafe(asyncio.sleep(ANSWER_AFTER), other)
            await asyncio.wrap_future(theirs)
        other.call_soon_threadsafe(other.stop)
        thread.join()
        other.close()

    run(work)


def test_an_answer_of_a_server_in_the_same_loop_holds_up_time() -> None:
    async def work(_clock: LoopClock) -> None:
        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with listening, second_pending():
            reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
            writer.write(b"ping\n")
            assert await reader.readline() == b"ping\n"
            writer.close()

    run(work)


def test_a_protocol_with_its_own_futures_is_given_a_short_time(server: SlowServer) -> None:
    class Protocol(asyncio.Protocol):
        def __init__(self) -> None:
            self.answer = asyncio.Future[bytes]()

        def data_received(self, received: bytes) -> None:
            self.answer.set_result(received)

    async def work(clock: LoopClock) -> None:
        transport, protocol = await asyncio.get_running_loop().create_connection(
            Protocol, *server.address
        )
        transport.write(b"ping")
        began = time.monotonic()
        async with asyncio.timeout(60):
            while not protocol.answer.done():
                await asyncio.sleep(1)
        transport.close()
        assert time.monotonic() - began >= ANSWER_AFTER
        assert clock.now() < 30

    run(work)


def test_a_silent_server_holds_up_time_no_longer_than_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("poolspec.lab.event_loop.loop.SILENCE", 0.1)

    async def work(clock: LoopClock) -> None:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        began = time.monotonic()
        for _n in range(2):  # it stays silent: the second time counts from the first
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.2)
        assert 0.5 <= time.monotonic() - began < 2.0
        assert clock.now() == pytest.approx(0.4, abs=0.01)
        writer.close()
        theirs.close()

    run(work)


# --- stuck ---------------------------------------------------------------------------------------


def test_a_test_whose_tasks_all_wait_without_a_deadline_is_given_up() -> None:
    async def work(clock: LoopClock) -> None:
        pool = QueuePool(0)
        asyncio.create_task(pool.acquire(), name="borrower")  # noqa: RUF006
        await clock.sleep(10)
        with pytest.raises(ClockAbortedError, match=r"all tasks wait .*borrower"):
            await clock.waiter().wait(None)

    with instant():
        run(work)


def test_a_wait_within_the_pool_is_given_up_too() -> None:
    async def work(clock: LoopClock) -> None:
        asyncio.current_task().set_name("main")  # type: ignore[union-attr]
        with pytest.raises(ClockAbortedError, match=r"without a deadline .*: main$"):
            await QueuePool(0).acquire()
        assert clock.now() == 0

    with instant():
        run(work)


def test_a_call_from_a_thread_arrives_before_the_test_is_given_up() -> None:
    async def work(_clock: LoopClock) -> None:
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        timer = threading.Timer(0.02, loop.call_soon_threadsafe, [event.set])
        timer.start()
        await event.wait()
        timer.join()

    run(work)


def test_an_aborted_clock_fails_every_wait() -> None:
    async def work(clock: LoopClock) -> None:
        waiting = asyncio.create_task(clock.sleep(5))
        await asyncio.sleep(1)
        clock.abort("over")
        for wait in (waiting, clock.sleep(1)):
            with pytest.raises(ClockAbortedError, match="over"):
                await wait
        assert clock.now() == 1

    run(work)


# --- rest ----------------------------------------------------------------------------------------


def test_rest_is_reported_when_all_tasks_wait_before_time_passes() -> None:
    async def work(clock: LoopClock) -> None:
        seen: list[float] = []
        clock.at_rest = lambda: seen.append(clock.now())
        await asyncio.sleep(0)
        assert seen == []
        await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2.5))
        assert seen == [0.0, 1.0]

    run(work)


def test_time_does_not_pass_if_rest_wakes_a_waiter() -> None:
    async def work(clock: LoopClock) -> None:
        waiter = clock.waiter()
        clock.at_rest = waiter.wake
        assert await waiter.wait(clock.now() + 10)
        assert clock.now() == 0

    run(work)


def test_there_is_no_rest_while_real_work_is_under_way() -> None:
    async def work(clock: LoopClock) -> None:
        seen: list[float] = []
        clock.at_rest = lambda: seen.append(clock.now())
        await asyncio.to_thread(time.sleep, ANSWER_AFTER)
        assert seen == []

    run(work)


def test_rest_is_reported_in_real_time_too_with_the_work_under_way(server: SlowServer) -> None:
    actor = ContextVar("actor", default="")

    async def main() -> None:
        clock, loop = RealAsyncClock(), asyncio.get_running_loop()
        assert isinstance(loop, LabLoop)
        seen: list[list[str]] = []
        clock.at_rest = lambda: seen.append([work.context[actor] for work in loop.under_way()])
        actor.set("sleeper")
        await asyncio.sleep(0.01)
        assert [] in seen
        assert not any(seen)
        actor.set("borrower")
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(b"ping\n")
        await asyncio.wait_for(reader.readline(), 1)
        assert ["borrower"] in seen
        writer.close()

    with asyncio.Runner(loop_factory=LabLoop) as runner:
        runner.run(main())


def test_a_waiter_that_rest_wakes_in_real_time_continues_at_once() -> None:
    async def main() -> None:
        clock = RealAsyncClock()
        waiter = clock.waiter()
        clock.at_rest = waiter.wake
        with instant():
            assert await waiter.wait(clock.now() + 60)

    with asyncio.Runner(loop_factory=LabLoop) as runner:
        runner.run(main())
