"""Actors that run part by part: each part in the actor's own thread or task."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import current_thread
from typing import Protocol

from poolspec.vocabulary import Concurrency

Parts = Iterator[None]
"""What an actor does; each `yield` is the end of a part."""


class Actor(Protocol):
    """One thread or task."""

    def step(self) -> None:
        """Run the next part, and wait for its end."""


class Actors:
    """Starts actors in one concurrency mode."""

    def __init__(self, mode: Concurrency) -> None:
        self.is_asyncio = mode is Concurrency.ASYNCIO
        self._loop = asyncio.new_event_loop()
        self._threads: list[ThreadPoolExecutor] = []
        self._started: list[Actor] = []

    def start(self, name: str, parts: Parts) -> Actor:
        """Start an actor, and run its first part."""
        actor = self._task(name, parts) if self.is_asyncio else self._thread(name, parts)
        self._started.append(actor)
        actor.step()
        return actor

    def _task(self, name: str, parts: Parts) -> Actor:
        return _TaskActor(self._loop, name, parts)

    def _thread(self, name: str, parts: Parts) -> Actor:
        executor = ThreadPoolExecutor(
            1, initializer=lambda: setattr(current_thread(), "name", name)
        )
        self._threads.append(executor)
        return _ThreadActor(executor, parts)

    def close(self) -> None:
        """End all actors."""
        for executor in self._threads:
            executor.shutdown()
        if tasks := asyncio.all_tasks(self._loop):
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.wait(tasks))
        self._loop.close()


class _ThreadActor:
    def __init__(self, executor: ThreadPoolExecutor, parts: Parts) -> None:
        self._executor = executor
        self._parts = parts

    def step(self) -> None:
        self._executor.submit(next, self._parts, None).result()


class _TaskActor:
    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, parts: Parts) -> None:
        self._loop = loop
        self._parts = parts
        self._turn, self._done = asyncio.Event(), asyncio.Event()
        self._error: BaseException | None = None
        self._task = loop.create_task(self._run(), name=name)

    def step(self) -> None:
        self._loop.run_until_complete(self._stepped())

    async def _stepped(self) -> None:
        self._turn.set()
        await self._done.wait()
        self._done.clear()
        if self._error is not None:
            raise self._error

    async def _run(self) -> None:
        while True:
            await self._turn.wait()
            self._turn.clear()
            try:
                next(self._parts, None)
            except Exception as error:
                self._error = error
            self._done.set()
