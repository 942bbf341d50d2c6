"""The control: pools built like the wrong ones, around no fault."""

from tests.wrong_pools.faults import WrongPool, pool_with

from poolspec.vocabulary import Concurrency
from steadypool._asyncio.acquire import AsyncEngine
from steadypool._core.core import Core


class SoundCore(Core):
    """Changes nothing."""


class SoundEngine(AsyncEngine):
    """Changes nothing."""


SOUND = [
    WrongPool("SoundCore", Concurrency.THREADS, pool_with(SoundCore, Concurrency.THREADS), ""),
    WrongPool("SoundCore", Concurrency.ASYNCIO, pool_with(SoundCore, Concurrency.ASYNCIO), ""),
    WrongPool("SoundEngine", Concurrency.ASYNCIO, pool_with(SoundEngine, Concurrency.ASYNCIO), ""),
]
"""Every way in which a fault is built in, without one."""
