"""Every word that a generated test may use besides those of its spec. `shape` holds it to that."""

from poolspec.python.literals import FUNCTIONS
from poolspec.python.names import RUNTIME_NAMES
from poolspec.vocabulary import (
    ActorState,
    Detail,
    ErrorKind,
    EventKind,
    Fault,
    Flaw,
    Given,
    HealthWord,
    Interruption,
    Operation,
    Real,
    Runner,
    Target,
    Via,
)

_CALLS = frozenset(
    {
        *("acquire", "release", "close", "close_all", "query", "expect"),
        *("pool", "global_pool", "connect", "start", "join", "advance", "load"),
        *("fails", "took", "expect_errors", "expect_latency"),
        *("expect_stats", "expect_server", "expect_served", "expect_same", "expect_different"),
        *("expect_pools", "expect_events", "expect_within", "raises"),
        *("expect_health", "expect_hooks", "expect_logs", "expect_calls", "expect_real"),
        *("expect_metrics", "expect_loans", "expect_only_errors"),
        *("measure", "start_load", "stop_load"),
        *("transaction", "resize", "suspend", "resume", "maintain"),
        *("cancel", "fork", "interrupt_everywhere", "fault", "heal", "use", "execute"),
        *("open", "details", "expect_remaining_timeout"),
        *("web_app", "request"),
        *(f"wait_until_{state.value}" for state in ActorState),
    }
)
_ENUMS = (
    *(Detail, ErrorKind, EventKind, Fault, Flaw, Given, HealthWord, Operation),
    *(Interruption, Real, Runner, Target, Via),
)
_MEMBERS = frozenset(member.name for kind in _ENUMS for member in kind)
ALLOWED = RUNTIME_NAMES | _CALLS | _MEMBERS | frozenset(FUNCTIONS.values()) | {"lab", "pytest"}
"""Every name and attribute that may stand inside a test, besides its own labels."""
KEYWORDS = frozenset(
    {
        *("took", "timeout", "params", "returns", "rows", "count", "repeat", "clients"),
        *("unread", "changes_one"),
        *("operations", "each", "mix", "hold", "via", "runner", "exactly", "rel", "abs"),
        *("size", "max_overflow", "saying", "drain", "on", "times", "after", "seconds"),
        *("given", "flaw", "naming"),
        *("by", "where"),  # keys of what is expected of a loan
        *("requests", "status", "headers", "json"),
        *("at_least", "may_recover"),
        *("cut", "return"),  # the annotations of functions inside of a test
    }
)
"""Names of arguments."""
