"""The keyword options of both pools: names, types, defaults and meaning, each stated once.

A constructor takes `**options: Unpack[PoolOptions]` and is decorated with `takes(PoolOptions)`. So
type checkers, `inspect.signature` and `help` all show the options, with their defaults.
"""

import difflib
import inspect
import math
import os
import random as default_random
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from typing import Annotated, Any, NamedTuple, TypedDict, TypeVar, cast, get_type_hints

from steadypool._common.checks import at_most, check_limit, choice, seconds, share, whole
from steadypool._common.hooks import Hook
from steadypool._core.settings import Order, Reset, Settings
from steadypool._drivers.configuration import Config
from steadypool.events import Listener
from steadypool.protocols import AsyncClock, Clock

Constructor = TypeVar("Constructor", bound=Callable[..., None])
Given = TypeVar("Given")


_POSITIONAL = ("size", "max_overflow", "timeout", "recycle", "config_name")
"""The other parameters of both constructors; a misspelt name may mean one of them."""


class Default(NamedTuple):
    """The value of an option that is not given."""

    value: Any


class CommonOptions(TypedDict, total=False):
    """The options that both pools take in the same form."""

    min_size: Annotated[int | None, Default(None)]
    """Connections that are opened at the start and restored by `maintain`; None means `size`."""
    config: Annotated[Config | str | os.PathLike[str] | None, Default(None)]
    """A `Config`, a URL, or the path of a configuration file; None means $STEADYPOOL_CONFIG, or
    ./config.yaml without it."""
    check_after: Annotated[float | None, Default(0.5)]
    """An idle connection unused for this many seconds is checked before it is handed out, without a
    round trip. Maintenance makes a round trip on a connection that has not answered for as long.
    None: neither."""
    validate_after: Annotated[float | None, Default(None)]
    """An idle connection unused for this many seconds is checked with a round trip before it is
    handed out; None: never."""
    recycle_jitter: Annotated[float, Default(0.0)]
    """The share of `recycle`, from 0 to 1, by which each connection's own limit is shortened at
    random, to avoid replacing all connections at once."""
    max_uses: Annotated[int | None, Default(None)]
    """A connection is closed when it returns from this many loans; None: no limit."""
    max_idle_time: Annotated[float | None, Default(None)]
    """An idle connection above `min_size` unused for this many seconds is closed; None: never."""
    max_waiting: Annotated[int | None, Default(None)]
    """The length of the queue. Further acquires get PoolExhaustedError at once; None: no limit."""
    max_connecting: Annotated[int | None, Default(None)]
    """The number of connects under way at once; None: no limit but the pool's size."""
    connect_attempts: Annotated[int, Default(3)]
    """The number of connects for one acquire, with growing backoff in between, as far as its
    timeout allows. A failure that time does not repair, such as a wrong password, is not retried.
    """
    breaker_failures: Annotated[int | None, Default(5)]
    """After this many failed connects in a row, acquires that need a connect get
    ServerUnavailableError at once, except for one probe every `breaker_cooldown` seconds; None:
    never."""
    breaker_cooldown: Annotated[float, Default(1.0)]
    """The seconds between two probes while the breaker is open."""
    breaker_cooldown_limit: Annotated[float | None, Default(None)]
    """The cooldown doubles with each probe, up to this many seconds, until a connect succeeds.
    None, or a limit below the cooldown: it stays constant."""
    setup: Annotated[Hook | None, Default(None)]
    """Called with every new connection, and after a session reset. A transaction that it leaves
    open is rolled back. If it raises, the connection is closed and the acquire raises the same."""
    on_acquire: Annotated[Hook | None, Default(None)]
    """Called with the connection at every acquire. A transaction that it begins is the borrower's.
    If it raises, the connection is closed and the acquire raises the same."""
    on_release: Annotated[Hook | None, Default(None)]
    """Called with a connection that returns, after its reset and before it is handed out again. A
    transaction that it leaves open is rolled back, unless `reset` is `Reset.NONE`. If it raises,
    the connection is closed, and the release raises nothing: the log reports the error."""
    reset: Annotated[Reset, Default(Reset.ROLLBACK)]
    """How a connection is reset when it returns."""
    order: Annotated[Order, Default(Order.LIFO)]
    """Which idle connection is handed out."""
    leak_after: Annotated[float | None, Default(None)]
    """A loan longer than this many seconds is reported once, in the log and as an event. The pool
    then records borrower and place of every acquire, which costs some microseconds. None: never."""
    random: Annotated[Callable[[], float], Default(default_random.random)]
    """The source of random numbers from 0 to 1, for tests."""
    listeners: Annotated[Iterable[Listener], Default(())]
    """Called with every event: see `steadypool.events`."""
    name: Annotated[str | None, Default(None)]
    """The pool's name in errors, log and metrics; None means `config_name`."""


class PoolOptions(CommonOptions, total=False):
    """The keyword options of `ConnectionPool`."""

    connect: Annotated[Callable[[], Any] | None, Default(None)]
    """Any callable that opens a DB-API connection; replaces `config`. The timeout of an acquire
    cannot interrupt it."""
    clock: Annotated[Clock | None, Default(None)]
    """The source of time, for tests; None means the system's monotonic clock."""


class AsyncPoolOptions(CommonOptions, total=False):
    """The keyword options of `AsyncConnectionPool`; hooks may be plain or async."""

    connect: Annotated[Callable[[], Awaitable[Any]] | None, Default(None)]
    """Any async callable that opens a connection; replaces `config`. The timeout of an acquire
    cancels it."""
    clock: Annotated[AsyncClock | None, Default(None)]
    """The source of time, for tests; None means the event loop's time."""


def takes(kind: type[CommonOptions]) -> Callable[[Constructor], Constructor]:
    """Let a constructor's signature show these options in place of its `**options`."""

    def decorate(constructor: Constructor) -> Constructor:
        signature = inspect.signature(constructor)
        shown = [
            parameter
            for parameter in signature.parameters.values()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        for name, hint in get_type_hints(kind, include_extras=True).items():
            keyword = inspect.Parameter.KEYWORD_ONLY
            (default,) = hint.__metadata__
            shown.append(
                inspect.Parameter(name, keyword, default=default.value, annotation=hint.__origin__)
            )
        shown_signature = signature.replace(parameters=shown)
        constructor.__signature__ = shown_signature  # type: ignore[attr-defined]
        return constructor

    return decorate


def complete(kind: type[Given], given: Given) -> Given:
    """Return the options with the defaults of those not given; raises TypeError for others."""
    defaults = _defaults(cast(type, kind))
    options = cast(dict[str, Any], given)
    for name in options:
        if name not in defaults:
            near = difflib.get_close_matches(name, (*defaults, *_POSITIONAL), 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"the pool has no option {name!r}{hint}")
    return cast(Given, defaults | options)


@cache
def _defaults(kind: type) -> dict[str, Any]:
    """Return the default of each option. The hints take a while to read."""
    hints = get_type_hints(kind, include_extras=True)
    return {name: hint.__metadata__[0].value for name, hint in hints.items()}


def make_settings(
    name: str, size: int, max_overflow: int, recycle: float | None, options: CommonOptions
) -> Settings:
    """Make the core's settings from complete options; raises PoolConfigError."""
    min_size = options["min_size"]
    return Settings(
        name=name,
        size=size,
        limit=check_limit(size, max_overflow),
        min_size=size if min_size is None else whole("min_size", min_size, 0, size),
        recycle=seconds("recycle", recycle) or math.inf,
        recycle_jitter=share("recycle_jitter", options["recycle_jitter"]),
        max_uses=at_most("max_uses", options["max_uses"], 1),
        max_idle_time=seconds("max_idle_time", options["max_idle_time"]),
        check_after=seconds("check_after", options["check_after"]),
        validate_after=seconds("validate_after", options["validate_after"]),
        reset=choice("reset", options["reset"], Reset),
        order=choice("order", options["order"], Order),
        max_connecting=at_most("max_connecting", options["max_connecting"], 1),
        max_waiting=at_most("max_waiting", options["max_waiting"], 0),
        connect_attempts=whole("connect_attempts", options["connect_attempts"], 1),
        breaker_failures=at_most("breaker_failures", options["breaker_failures"], 1),
        breaker_cooldown=seconds("breaker_cooldown", options["breaker_cooldown"]),
        breaker_cooldown_limit=_cooldown_limit(options["breaker_cooldown_limit"]),
        leak_after=seconds("leak_after", options["leak_after"]),
        hooked=options["on_acquire"] is not None,
        hooked_release=options["on_release"] is not None,
    )


def _cooldown_limit(limit: float | None) -> float:
    """Check the limit; without one it is 0, below every cooldown, so none grows."""
    return 0.0 if limit is None else seconds("breaker_cooldown_limit", limit, "a constant cooldown")
