"""Pools that read their configuration wrongly, or fail to start in the wrong way."""

from dataclasses import replace
from typing import Any, Self

from tests.wrong_pools.faults import noticed_by

import steadypool
from steadypool._drivers.configuration import load


@noticed_by("initialization.a_refused_connect_is_reported_at_the_start")
class QuotesItsPassword(steadypool.ConnectionPool):
    """Quotes its configuration when it cannot start."""

    def __init__(self, *, config: Any = None, **options: Any) -> None:
        try:
            super().__init__(config=config, **options)
        except steadypool.PoolInitializationError as error:
            raise steadypool.PoolInitializationError(f"{error} Given: {config}") from error


@noticed_by("initialization.a_refused_connect_is_reported_at_the_start")
class AsyncQuotesItsPassword(steadypool.AsyncConnectionPool):
    """Quotes its configuration when it cannot start."""

    def __init__(self, *, config: Any = None, **options: Any) -> None:
        super().__init__(config=config, **options)
        self._given = config

    async def start(self) -> Self:
        try:
            return await super().start()
        except steadypool.PoolInitializationError as error:
            raise steadypool.PoolInitializationError(f"{error} Given: {self._given}") from error


@noticed_by("initialization.a_refused_connect_is_reported_at_the_start")
class NamesNoServer(steadypool.ConnectionPool):
    """Does not report which server it could not reach."""

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except steadypool.PoolInitializationError:
            raise steadypool.PoolInitializationError("Is the server running?") from None


@noticed_by("initialization.a_refused_connect_is_reported_at_the_start")
class AsyncNamesNoServer(steadypool.AsyncConnectionPool):
    """Does not report which server it could not reach."""

    async def start(self) -> Self:
        try:
            return await super().start()
        except steadypool.PoolInitializationError:
            raise steadypool.PoolInitializationError("Is the server running?") from None


_FAILED: list[object] = []
"""Pools that could not start: so no finalizer closes their connections."""


@noticed_by("initialization.a_failed_start_leaves_nothing_open")
class LeavesAFailedStartOpen(steadypool.ConnectionPool):
    """Closes nothing when it cannot open all of its first connections."""

    started = False

    def __init__(self, **options: Any) -> None:
        _FAILED.append(self)
        super().__init__(**options)
        self.started = True
        _FAILED.remove(self)

    def close(self, drain: float | None = 0.0) -> None:
        if self.started:
            super().close(drain)


@noticed_by("initialization.a_failed_start_leaves_nothing_open")
class AsyncLeavesAFailedStartOpen(steadypool.AsyncConnectionPool):
    """Closes nothing when it cannot open all of its first connections."""

    started = False

    async def start(self) -> Self:
        await super().start()
        self.started = True
        return self

    async def close(self, drain: float | None = None) -> None:
        if self.started:
            await super().close(drain)


def with_longer_connects(config: Any) -> Any:
    """Return a configuration whose default for connects is a minute."""
    if config and load(config, "primary").connect_timeout == 10:
        return replace(load(config, "primary"), connect_timeout=60)
    return config


def without_query_timeout(config: Any) -> Any:
    """Return a configuration without a default for answers."""
    if config and load(config, "primary").query_timeout == 5:
        return replace(load(config, "primary"), query_timeout=None)
    return config


@noticed_by("time_limits.a_connect_may_take_ten_seconds_by_default")
class AllowsAConnectAMinute(steadypool.ConnectionPool):
    """Has a default connect timeout of a minute."""

    def __init__(self, *, config: Any = None, **options: Any) -> None:
        super().__init__(config=with_longer_connects(config), **options)


@noticed_by("time_limits.a_connect_may_take_ten_seconds_by_default")
class AsyncAllowsAConnectAMinute(steadypool.AsyncConnectionPool):
    """Has a default connect timeout of a minute."""

    def __init__(self, *, config: Any = None, **options: Any) -> None:
        super().__init__(config=with_longer_connects(config), **options)


@noticed_by("time_limits.an_answer_may_take_five_seconds_by_default")
class LimitsNoAnswers(steadypool.ConnectionPool):
    """Has no default query timeout."""

    def __init__(self, *, config: Any = None, **options: Any) -> None:
        super().__init__(config=without_query_timeout(config), **options)


@noticed_by("time_limits.an_answer_may_take_five_seconds_by_default")
class AsyncLimitsNoAnswers(steadypool.AsyncConnectionPool):
    """Has no default query timeout."""

    def __init__(self, *, config: Any = None, **options: Any) -> None:
        super().__init__(config=without_query_timeout(config), **options)
