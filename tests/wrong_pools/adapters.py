"""Adapters of the wrong pools, for `--pool tests.wrong_pools.adapters:NAME-CONCURRENCY`."""

from tests.wrong_pools import SOUND, WRONG, WrongPool

from poolspec.adapters.steady import SteadypoolAdapter
from poolspec.adapters.steady_asyncio import AsyncSteadypoolAdapter
from poolspec.lab.aio.contract import AsyncPoolAdapter
from poolspec.vocabulary import Concurrency


class WrongPoolAdapter(SteadypoolAdapter):
    """Makes pools of one class for one concurrency, and sound ones for the other."""

    def __init__(self, wrong: WrongPool) -> None:
        self._asyncio = AsyncSteadypoolAdapter()
        if wrong.concurrency is Concurrency.THREADS:
            self.pool_class = wrong.pool
        else:
            self._asyncio.pool_class = wrong.pool

    @property
    def asyncio(self) -> AsyncPoolAdapter:
        """The adapter for asyncio."""
        return self._asyncio


def __getattr__(name: str) -> WrongPoolAdapter:
    for wrong in [*SOUND, *WRONG]:
        if str(wrong) == name:
            return WrongPoolAdapter(wrong)
    raise AttributeError(name)
