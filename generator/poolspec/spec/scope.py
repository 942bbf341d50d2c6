"""The names of a test, and the scopes in which they are visible.

All names of a test share one namespace. The main body is one scope. Each actor has another, which
starts with the names that the main body has bound before it starts the actor. The names that an
actor binds are visible to that actor only, so two actors may use the same label. Within a scope a
label is bound once.

A connection's label is held from its acquire to its release, or to the end of its `with` block;
later it serves only to say that two connections were the same, or were not.

A step that cannot be read may have bound unknown names. After such a step, unknown names are not
reported, so that one error is not reported twice.
"""

from dataclasses import dataclass, field, replace
from enum import Enum, auto

from poolspec.errors import article, expected, shown
from poolspec.spec.common import FROM
from poolspec.spec.fields import Fields, Key, Reader, Word
from poolspec.spec.names import Naming
from poolspec.spec.tree import Node
from poolspec.spec.values import Check, PoolOptions, Value
from poolspec.vocabulary import Capability, Concurrency, Fault


class Hold(Enum):
    """Whether a connection may be used, and what releases it."""

    HELD = auto()
    """By its label, until a step releases it."""
    BLOCK = auto()
    """By a `with` block, which releases it."""
    ENTERED = auto()
    """By a block that the step `enter` entered; the step `leave` or `abandon` releases it."""
    STRAY = auto()
    """By the test: the step `connect` opened it, and no pool knows it."""
    GONE = auto()
    """Released."""


class Among(Enum):
    """The steps that a step stands among."""

    ALL = auto()
    ROUND = auto()
    """Repeated steps."""
    INTERRUPTED = auto()
    """Interrupted steps."""
    FORKED = auto()
    """Steps of a forked child."""


@dataclass(slots=True)
class Thing:
    """What a name stands for."""

    naming: Naming
    line: int
    owner: str
    """The actor whose name it is; empty for the main body."""
    pool: str | None = None
    """Of a connection: the global pool it came from."""
    hold: Hold = Hold.HELD
    gone_line: int = 0
    in_generator: bool = False
    """Of a connection: a generator runs the block that borrowed it."""


@dataclass(slots=True)
class Names:
    """All names of one test, and what is found out about it on the way."""

    reader: Reader
    taken: dict[str, Thing] = field(default_factory=dict)
    own_pool: list[Node] = field(default_factory=list)
    """Where the test uses its own pool."""
    global_pools: int = 0
    makers: list[str] = field(default_factory=list)
    """The verbs of the steps that make pools, or fail to."""
    unnamed: list[tuple[str, Node, tuple[str, ...]]] = field(default_factory=list)
    """The words about one pool that name none, their places, and the pools made before them."""
    bound_to: list[tuple[Concurrency, str, Node]] = field(default_factory=list)
    """What only one concurrency can do: which concurrency, the word, and where it stands."""
    numbers: list[tuple[str, Value, Node]] = field(default_factory=list)
    """How many threads or tasks start at once: the key, the value, and where it stands."""
    at_server: list[tuple[str, Node]] = field(default_factory=list)
    """What needs a server: in words, and where it stands."""
    scripted_only: list[tuple[str, Node]] = field(default_factory=list)
    """What needs scripted connections."""
    of_settings: list[tuple[str, str, Node]] = field(default_factory=list)
    """The words that need a setting of the server: the setting, the word and its place."""
    of_two: list[tuple[str, Node]] = field(default_factory=list)
    """The words that need two servers, each with its place."""
    asked: list[Node] = field(default_factory=list)
    """Where the test asks something of a web application."""
    broken: set[Fault] = field(default_factory=set)
    """Faults that were made and not healed so far."""
    options: list[tuple[PoolOptions, Node]] = field(default_factory=list)
    """Of every pool that the test has, with the place where they are given."""
    waits: list[tuple[Value | Check, Node]] = field(default_factory=list)
    """How long something shall take, and where that is said."""
    unreal: list[tuple[str, Node]] = field(default_factory=list)
    """What a test says that is so on the virtual clock only, in words."""
    implied: dict[Capability, str] = field(default_factory=dict)
    """What the test needs by what it says: the first word that implies it, and its line."""
    running: dict[str, Node] = field(default_factory=dict)
    """Loads that were started and not stopped so far, with the place of each."""
    real_time: list[tuple[str, Node]] = field(default_factory=list)
    """What works in real time only: a clause that says so, and where it stands."""
    expecting: bool = False
    """Something is expected, so that the test can fail by its own words."""
    incomplete: bool = False
    """Some step could not be read; there may be more names."""

    def imply(self, need: Capability | None, words: str, node: Node) -> None:
        """Take note of a capability that follows from a word of the test."""
        if need:
            self.implied.setdefault(need, f"{words} in line {node.line}")


@dataclass(slots=True)
class Scope:
    """The names that one body of steps sees."""

    names: Names
    owner: str = ""
    things: dict[str, Thing] = field(default_factory=dict)
    among: Among = Among.ALL
    pools: dict[str, str] = field(default_factory=dict)
    """The pools that were made, in any actor, by their labels; equal values are one pool."""

    @property
    def reader(self) -> Reader:
        """Where problems go."""
        return self.names.reader

    def of_actor(self, name: str) -> "Scope":
        """The scope of an actor that starts now."""
        return Scope(self.names, name, dict(self.things), self.among, self.pools)

    def of_child(self) -> "Scope":
        """The scope of a forked child: a copy of all that is known, which changes nothing here."""
        things = {word: replace(thing) for word, thing in self.things.items()}
        return Scope(self.names, self.owner, things, Among.FORKED, dict(self.pools))

    def of_round(self) -> "Scope":
        """Return the scope of steps on a new pool: names that were bound before are not visible."""
        return Scope(self.names, self.owner, {}, Among.ROUND, self.pools)

    def of_interrupted(self) -> "Scope":
        """Return the scope of interrupted steps: later steps do not see the names bound here."""
        return Scope(self.names, self.owner, dict(self.things), Among.INTERRUPTED, self.pools)

    def bind(
        self, word: Word, naming: Naming, pool: str | None = None, hold: Hold = Hold.HELD
    ) -> Thing:
        """Give a word a meaning. A word that has one already is a problem."""
        thing = Thing(naming, word.node.line, self.owner, pool, hold)
        if clash := self._clash(word.text, naming):
            hint = "choose another name; names are not used twice in a test"
            message = f"{shown(word.text)} is already {article(clash.naming)}, in line {clash.line}"
            self.reader.problem(word.node, message, hint)
        self.names.taken.setdefault(word.text, thing)
        self.things[word.text] = thing
        return thing

    def bind_pool(self, word: Word, alias: str = "") -> None:
        """Give a word the meaning of a pool; pools of one alias are one pool."""
        self.bind(word, Naming.POOL)
        self.pools[word.text] = alias or word.text

    def note_number(self, key: Key[Value], fields: Fields) -> None:
        """Take note of a number of threads or tasks that start at once, if it is given."""
        value = fields.get(key)
        if value is not None:
            self.names.numbers.append((key.name, value, fields.at(key)))

    def find(self, word: Word, *namings: Naming) -> Thing | None:
        """What a word stands for; None, with a problem reported, if it is none of the namings."""
        thing = self.things.get(word.text)
        if thing is None and Naming.ACTOR in namings:
            thing = self._actor(word.text)
        if thing is None:
            self._report_unknown(word, namings)
        elif thing.naming not in namings:
            wanted = " or ".join(map(article, namings))
            message = f"{shown(word.text)} is {article(thing.naming)}, not {wanted}"
            self.reader.problem(word.node, message, f"it is named in line {thing.line}")
            return None
        return thing

    def pool_of(self, fields: Fields, key: Key[Word] = FROM) -> str | None:
        """Return the pool that a step names; without one, the step uses the test's own."""
        if not fields.has(key):
            self.names.own_pool.append(fields.node)
            return None
        word = fields.get(key)
        return word.text if word and self.find(word, Naming.POOL) else None

    def is_pool(self, text: str) -> bool:
        """Return whether a word stands for a pool."""
        thing = self.things.get(text)
        return thing is not None and thing.naming is Naming.POOL

    def note_unnamed(self, what: str, node: Node) -> None:
        """Take note of a word about one pool that names none, and of the pools made so far."""
        self.names.unnamed.append((what, node, tuple(dict.fromkeys(self.pools.values()))))

    def known(self, *namings: Naming) -> tuple[str, ...]:
        """The words that stand for such things here."""
        everywhere = self.names.taken if Naming.ACTOR in namings else self.things
        return tuple(word for word, thing in everywhere.items() if thing.naming in namings)

    def report_no_connection(self, node: Node, what: str, key: str) -> None:
        """Report that something does not say which connection it is about, and which there are."""
        held = [
            f"{key}: {word}"
            for word, thing in self.things.items()
            if thing.naming is Naming.LABEL and thing.hold is not Hold.GONE
        ]
        hint = f"add {'one of' if len(held) > 1 else 'it'}: {', '.join(held)}"
        borrow = f"borrow one before, as in: - acquire: a; then add: {key}: a"
        self.reader.problem(node, f"{what} needs the key {key!r}", hint if held else borrow)

    def _actor(self, text: str) -> Thing | None:
        """Actors are known to everybody, once they are started."""
        thing = self.names.taken.get(text)
        return thing if thing and thing.naming is Naming.ACTOR else None

    def _clash(self, text: str, naming: Naming) -> Thing | None:
        if text in self.things:
            return self.things[text]
        other = self.names.taken.get(text)
        if other is None:
            return None
        apart = self.owner and other.owner and self.owner != other.owner
        return None if apart and other.naming is naming else other

    def _report_unknown(self, word: Word, namings: tuple[Naming, ...]) -> None:
        if self.names.incomplete:
            return
        kinds = " or ".join(namings)
        other = self.names.taken.get(word.text)
        if other and other.owner and other.owner != self.owner:
            who = f"actor {shown(self.owner)}" if self.owner else "the main body"
            message = f"{shown(word.text)} belongs to the actor {shown(other.owner)}"
            self.reader.problem(word.node, message, f"{who} does not see an actor's labels")
            return
        known = self.known(*namings)
        hint = expected(known, word.text) if known else "there is none so far"
        self.reader.problem(word.node, f"unknown {kinds} {shown(word.text)}", hint)
