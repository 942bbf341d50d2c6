"""The tables of keys of every step."""

from poolspec.language.grammar_common import FAILS, SAYS, TIMEOUT, TOOK
from poolspec.language.grammar_expect import EXPECT
from poolspec.language.grammar_loads import LOAD_STEP, STOP_STEP
from poolspec.language.grammar_opening import OPEN_STEP
from poolspec.language.grammar_pool import (
    CLOSE,
    GLOBAL_OPTIONS,
    RESIZE,
)
from poolspec.language.grammar_web import REQUEST_STEP
from poolspec.loading.table_keys import FLAG
from poolspec.spec.common import (
    FAILURE,
    NAME,
    ROWS,
    SCALARS,
    SECONDS,
    SOME_NAMES,
    SQL,
    STEP_NAME,
)
from poolspec.spec.conditions import CONDITION
from poolspec.spec.fields import Fields, Key, Kind, Place, Reader, Word, Wrong
from poolspec.spec.kinds import (
    answer_kind,
    enum_kind,
    fields_kind,
    map_kind,
    value_kind,
)
from poolspec.spec.quantities import NUMBER_OF, SIZE, THREADS
from poolspec.spec.tree import Node, Scalar, Sequence
from poolspec.steps.steplist import StepList, steps_kind
from poolspec.vocabulary import (
    BodyFailure,
    Fault,
    Interruption,
)

STEP_PLACES: dict[str, Place] = {}
"""By verb; filled at the end of this module, for steps hold steps."""

STEPS = steps_kind(STEP_PLACES)

# --- steps ---------------------------------------------------------------------------------------


def _read_released(reader: Reader, node: Node) -> tuple[Word, ...]:
    if isinstance(node, Scalar) and node.plain and node.text == "nothing":
        return ()
    if isinstance(node, Scalar) and node.plain and node.text in ("", "~", "null"):
        raise Wrong(node, "release needs a label", "to give None to the pool, write: nothing")
    return SOME_NAMES.read(reader, node)


RELEASED: Kind[tuple[Word, ...]] = Kind(
    "a name, a list of names or `nothing`",
    _read_released,
    {"anyOf": [{"const": "nothing"}, SOME_NAMES.schema]},
)

ACQUIRE = Key("acquire", SOME_NAMES, "borrow a connection for each label", "[a, b]", True)
FROM = Key(
    "from", NAME, "the pool to borrow from: global or opened", "shared", default="the test's pool"
)

CONNECT = Key("connect", NAME, "open a connection that no pool knows", "stray", True)

RELEASE = Key("release", RELEASED, "give connections back; `nothing` gives None", "[a, b]", True)
TO = Key(
    "to", NAME, "the pool to give to: global or opened", "shared", default="where they came from"
)

WITH = Key("with", NAME, "borrow for the length of a block", "c", True)
DO = Key("do", STEPS, "the steps of the block", "[{query: SELECT 1, on: c}]", default="no steps")
RAISES = Key(
    "raises",
    enum_kind("a way for a block to end", BodyFailure),
    "what the block raises at its end; it must come out",
    "error",
    default="nothing",
)

TRANSACTION = Key("transaction", NAME, "borrow for the length of a transaction", "c", True)
ENDS_WITH = Key(
    "ends_with",
    FAILURE,
    "the commit at the end must fail in this way",
    "lost",
    default="it commits",
)

QUERY = Key("query", SQL, "run one SQL statement", "SELECT 1", True)
ON = Key("on", NAME, "the connection to run it on", "a", True, of_test=True)
PARAMS = Key("params", SCALARS, "values for the %s of the statement", "[1, two]", default="none")
RETURNS = Key(
    "returns",
    answer_kind("a single value"),
    "the one value that must come back",
    "1",
    default="anything",
)
ROWS_KEY = Key("rows", ROWS, "the rows that must come back", "[[1, one]]", default="any rows")
UNREAD = Key("unread", FLAG, "whether its rows are left unread", "true", default="all are read")
CHANGES_ONE = Key(
    "changes_one",
    FLAG,
    "whether to fail with a conflict unless it changes exactly one row",
    "true",
    default="any number",
)

GLOBAL_POOL = Key("global_pool", NAME, "ask for the process-wide pool", "shared", True)
OPTIONS = Key(
    "options",
    fields_kind(GLOBAL_OPTIONS),
    "what it is asked with",
    "{size: 3}",
    default="no options at all",
)

COUNT_KEY = Key(
    "count", value_kind(THREADS), "threads or tasks that do the same", "50", default="1"
)
REPEAT = Key("repeat", value_kind(NUMBER_OF), "times each does it", "20", default="1")
BODY = Key("steps", STEPS, "what the actor does", "[acquire: x, release: x]", True)
ACTOR = Place("an actor", (BODY, COUNT_KEY, REPEAT))


def _read_actor(reader: Reader, node: Node) -> Fields | StepList:
    if isinstance(node, Sequence):
        return STEPS.read(reader, node)
    return fields_kind(ACTOR).read(reader, node)


ACTOR_KIND: Kind[Fields | StepList] = Kind(
    "a list of steps or an actor", _read_actor, {"anyOf": [STEPS.schema, fields_kind(ACTOR).schema]}
)
START = Key(
    "start",
    map_kind("actors by name", NAME, ACTOR_KIND),
    "start actors at the same moment, each a thread or a task",
    "{first: [acquire: x, release: x]}",
    True,
)
JOIN = Key("join", SOME_NAMES, "wait for actors to finish", "[first, second]", True)
CANCEL = Key("cancel", NAME, "cancel an actor", "first", True)
INTERRUPT_EVERYWHERE = Key(
    "interrupt_everywhere",
    STEPS,
    "what is cut short, at another point each time",
    "[acquire: x, release: x]",
    True,
)
BEFORE = Key("before", STEPS, "what comes before it each time", "[acquire: a]", default="no steps")
AFTER = Key("after", STEPS, "what comes after it each time", "[advance: 1s]", default="no steps")
BY = Key(
    "by",
    enum_kind("a way to be cut short", Interruption),
    "what cuts it short",
    "timeout",
    default="interrupt",
)
AT_LEAST = Key(
    "at_least", value_kind(NUMBER_OF), "the fewest points that there must be", "3", default="1"
)
MAY_RECOVER = Key(
    "may_recover", FLAG, "whether the pool may make good for a timeout", "true", default="false"
)
FORK = Key("fork", STEPS, "what a forked child process does", "[acquire: x, release: x]", True)
WAIT_UNTIL = Key("wait_until", CONDITION, "wait for a state of actors", "first is waiting", True)
ADVANCE = Key("advance", SECONDS, "let time pass", "1h", True)

_FAULT_KIND = enum_kind("a kind of fault", Fault)
FAULT = Key("fault", _FAULT_KIND, "break something", "connect_refused", True)
VICTIM = Key("on", NAME, "the connection that is killed", "a", default="see below")
FOR = Key("for", SECONDS, "how long a call takes", "2s", default="see below")
TIMES = Key("times", value_kind(NUMBER_OF), "calls it is for", "3", default="until it is healed")
AFTER_CALLS = Key("after", value_kind(SIZE), "calls that go well first", "2", default="0")
HEAL = Key("heal", _FAULT_KIND, "undo a fault", "connect_refused", True)

USE = Key("use", STEP_NAME, "take a step of your own, written in Python", "warm_up", True)

# --- all steps ----------------------------------------------------------------------------------

EXPECT_STEP = Key("expect", fields_kind(EXPECT), "check now", "{stats: {in_use: 1}}", True)
WITHIN = Key("within", SECONDS, "how soon it must come true", "5s", default="it is true now")

STEP_PLACES.update(
    {
        "acquire": Place("the step acquire", (ACQUIRE, FROM, TIMEOUT, FAILS, TOOK, SAYS)),
        "connect": Place("the step connect", (CONNECT,)),
        "release": Place("the step release", (RELEASE, TO, FAILS, SAYS)),
        "with": Place("the step with", (WITH, DO, RAISES, FAILS, SAYS)),
        "transaction": Place(
            "the step transaction", (TRANSACTION, DO, RAISES, ENDS_WITH, FAILS, SAYS)
        ),
        "query": Place(
            "the step query",
            (QUERY, ON, PARAMS, RETURNS, ROWS_KEY, UNREAD, CHANGES_ONE, FAILS, TOOK, SAYS),
        ),
        "close_all": Place("the step close_all", ()),
        "close": Place("the step close", (CLOSE, TOOK)),
        "resize": Place("the step resize", (RESIZE,)),
        "suspend": Place("the step suspend", ()),
        "resume": Place("the step resume", ()),
        "maintain": Place("the step maintain", ()),
        "global_pool": Place("the step global_pool", (GLOBAL_POOL, OPTIONS, FAILS, SAYS)),
        "open": OPEN_STEP,
        "start": Place("the step start", (START,)),
        "join": Place("the step join", (JOIN,)),
        "cancel": Place("the step cancel", (CANCEL,)),
        "fork": Place("the step fork", (FORK,)),
        "interrupt_everywhere": Place(
            "the step interrupt_everywhere",
            (INTERRUPT_EVERYWHERE, BEFORE, AFTER, BY, AT_LEAST, MAY_RECOVER),
        ),
        "wait_until": Place("the step wait_until", (WAIT_UNTIL,)),
        "advance": Place("the step advance", (ADVANCE,)),
        "fault": Place("the step fault", (FAULT, VICTIM, FOR, TIMES, AFTER_CALLS)),
        "heal": Place("the step heal", (HEAL,)),
        "use": Place("the step use", (USE,)),
        "request": REQUEST_STEP,
        "load": LOAD_STEP,
        "stop": STOP_STEP,
        "expect": Place("the step expect", (EXPECT_STEP, WITHIN)),
    }
)
