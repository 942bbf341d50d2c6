"""A file's class and its tests as fields → model."""

import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

from poolspec.checks.needs import Needs
from poolspec.checks.reachability import check_reach
from poolspec.errors import expected, nearest, shown
from poolspec.expectations.registry import Expectations, build_expectations
from poolspec.loading import files as g
from poolspec.loading.catalog import Catalog, Profile, refuse_parameters
from poolspec.loading.parameters import beyond_threads, build_matrix, check_uses
from poolspec.loading.server_keys import SERVER_SETTINGS, SERVERS, Settings, settings_of
from poolspec.loading.table_keys import TABLES_KEY
from poolspec.model import Matrix, SpecClass, SpecTest, Table
from poolspec.spec.fields import Fields, Key, Reader, Word
from poolspec.spec.scope import Names, Scope
from poolspec.spec.tree import Node
from poolspec.spec.values import PoolOptions, Step
from poolspec.steps.kind import build_steps
from poolspec.steps.options import HOUSEKEEPING, LISTENER, merged
from poolspec.vocabulary import (
    Capability,
    Concurrency,
    Connections,
    Layer,
    Level,
    Listening,
    TimeKind,
)
from poolspec.vocabulary.rules import CONNECTIONS as CONNECTION_RULES

T = TypeVar("T")

DEFAULT_DEADLINE = 20.0


@dataclass(frozen=True, slots=True)
class ClassBuilder:
    """Builds the class of one file, with the catalog of the project."""

    reader: Reader
    catalog: Catalog
    fields: Fields

    def build(self, path: PurePosixPath, data: bytes) -> SpecClass | None:
        """The class; None, with a problem reported, if it has no valid name."""
        fields = self.fields
        if shared := fields.get(g.POOL_KEY):
            refuse_parameters(self.reader, shared)
        needs = Needs(self.reader, fields)
        given = fields.get(g.TESTS) or ()
        tests = tuple(self._test(word, test, needs) for word, test in given)
        needs.check_class()
        name = fields.get(g.CLASS_KEY)
        if name is None:
            return None
        return SpecClass(
            path,
            hashlib.sha256(data).hexdigest(),
            name.text,
            fields.get(g.PURPOSE) or "",
            fields.get(g.DESCRIPTION) or "",
            tests,
        )

    def _test(self, word: Word, fields: Fields, needs: Needs) -> SpecTest:
        reader = self.reader
        reader.uses = list(fields.uses)
        names = Names(reader)
        scope = Scope(names)
        matrix = build_matrix(scope, fields)
        layer = self._inherited(fields, g.LAYER) or Layer.INTEGRATION
        pool = self._pool(fields, layer)
        time = self._inherited(fields, g.TIME) or TimeKind.VIRTUAL
        body, expect = self._contents(scope, fields)
        app = self._inherited(fields, g.WEB_APP)
        if app:
            names.implied[Capability.WEB_APP] = "'web_app'"
        self._check_pool(fields, names, pool)
        self._check(word, fields, names)
        self._check_servers(fields, names)
        connections = self._connections(fields, names)
        for clause, node in names.real_time if time is TimeKind.VIRTUAL else ():
            reader.problem(node, f"{clause} works in real time", "add: time: real")
        own = self._has_own_pool(fields, names, app)
        if own:
            names.options.append((pool, self._pool_place(fields)))
        deadline = fields.get(g.DEADLINE_KEY) or DEFAULT_DEADLINE
        check_reach(reader, fields, names, matrix, time, deadline)
        if matrix or not fields.has(g.MATRIX_KEY):
            check_uses(reader, fields.get(g.MATRIX_KEY))
        return SpecTest(
            word.text,
            word.node.line,
            fields.get(g.PURPOSE) or "",
            fields.get(g.VALIDATES) or "",
            self._covers(fields),
            layer,
            self._inherited(fields, g.LEVEL) or Level.MUST,
            needs.of_test(fields, names, matrix, deadline if time is TimeKind.VIRTUAL else None),
            time,
            deadline,
            pool,
            matrix,
            body,
            expect,
            self._modes(fields, names, matrix),
            self._tables(fields),
            connections,
            app.text if app else None,
            self._servers(fields, names),
            self._settings(fields, names),
            own,
        )

    def _contents(self, scope: Scope, fields: Fields) -> tuple[tuple[Step, ...], Expectations]:
        """Return the steps of a test and its expectations at the end."""
        steps = fields.get(g.STEPS_KEY)
        body = build_steps(scope, steps) if steps else ()
        scope.names.incomplete |= fields.has(g.STEPS_KEY) and steps is None
        given = fields.get(g.EXPECT_KEY)
        return body, build_expectations(scope, given) if given else Expectations()

    def _check_pool(self, fields: Fields, names: Names, pool: PoolOptions) -> None:
        """Check options of the pool that depend on the rest of the test."""
        given = dict(pool)
        if HOUSEKEEPING.name in given:
            names.real_time.append(("a housekeeper", fields.at(g.POOL_KEY)))
        if given.get(LISTENER.name) == Listening.NONE and Capability.EVENTS in names.implied:
            message = f"the pool has no listener, and {names.implied[Capability.EVENTS]} needs one"
            self.reader.problem(self._pool_place(fields), message, "leave out listener: none")

    def _connections(self, fields: Fields, names: Names) -> Connections:
        """Return the kind of a test's connections; its steps must be possible with them."""
        kind = self._inherited(fields, g.CONNECTIONS) or Connections.DRIVER
        scripted = kind in (Connections.SCRIPTED, Connections.MINIMAL)
        if kind in CONNECTION_RULES:
            names.implied[CONNECTION_RULES[kind]] = f"'connections: {kind}'"
        hint = "leave it out, or use connections: driver"
        for why, node in names.at_server if scripted else ():
            self.reader.problem(node, f"{why}, and {kind} connections have no server", hint)
        for why, node in names.scripted_only if not scripted else ():
            has = "the driver's" if kind is Connections.DRIVER else f"{kind} ones"
            message = f"{why}, and the test has {has}"
            self.reader.problem(node, message, "add to the test: connections: scripted")
        if scripted and fields.has(TABLES_KEY):
            message = f"{kind} connections have no server to make tables at"
            self.reader.problem(fields.at(TABLES_KEY), message, hint)
        return kind

    def _check_servers(self, fields: Fields, names: Names) -> None:
        """Servers and settings need a server of the run's own."""
        for given in (self.fields, fields):
            for key in (SERVERS, SERVER_SETTINGS):
                if given.has(key):
                    place = given.at(key)
                    names.imply(Capability.SERVER_CONTROL, f"'{key.name}'", place)
                    names.at_server.append((f"{key.name} needs a server", place))

    def _servers(self, fields: Fields, names: Names) -> int:
        """Return the number of a test's servers; its steps may need two."""
        number = int(self._inherited(fields, SERVERS) or 1)
        for words, node in names.of_two if number == 1 else ():
            message = f"{words} needs two servers"
            self.reader.problem(node, message, "add to the test: servers: 2")
        return number

    def _settings(self, fields: Fields, names: Names) -> Settings:
        """Return the settings of a test's server; its steps may need some of them."""
        found = settings_of(self.fields.get(SERVER_SETTINGS), fields.get(SERVER_SETTINGS))
        for name, word, node in names.of_settings:
            if name not in dict(found):
                message = f"{word} needs a server with {name}"
                self.reader.problem(
                    node, message, f"add to the test: server_settings: {{{name}: 1s}}"
                )
        return found

    def _tables(self, fields: Fields) -> tuple[Table, ...]:
        """The tables of a test, in the order in which they can be made."""
        made: dict[str, Table] = {}
        for word in self._inherited(fields, TABLES_KEY) or ():
            table = self.catalog.tables.get(word.text)
            if table is None:
                known = self.catalog.tables
                hint = expected(known, word.text) if known else "no file with tables was loaded"
                self.reader.problem(word.node, f"unknown table {shown(word.text)}", hint)
                continue
            if word.text in made:
                self.reader.problem(word.node, f"{shown(word.text)} is named twice", "name it once")
            for other in table.foreign:
                if other.table not in (*made, word.text):
                    message = f"{shown(word.text)} refers to {other.table}, which is not made yet"
                    self.reader.problem(word.node, message, f"name {other.table} before it")
            made[word.text] = table.made
        return tuple(made.values())

    def _modes(
        self, fields: Fields, names: Names, matrix: Matrix | None
    ) -> tuple[Concurrency, ...]:
        """Return the modes of a test: those it names, less those that cannot do its steps."""
        named = self._inherited(fields, g.CONCURRENCY) or tuple(Concurrency)
        left = {concurrency for concurrency in Concurrency if concurrency in named}
        for concurrency, word, node in (*names.bound_to, *beyond_threads(names, matrix)):
            if concurrency not in left:
                message = f"{word!r} is for {concurrency} only, this test is not"
                others = " and ".join(sorted(left))
                self.reader.problem(node, message, f"leave it out: the test is for {others}")
                continue
            left = {concurrency}
        return tuple(concurrency for concurrency in Concurrency if concurrency in left)

    def _inherited(self, fields: Fields, key: Key[T]) -> T | None:
        value = fields.get(key)
        return self.fields.get(key) if value is None else value

    def _pool(self, fields: Fields, layer: Layer) -> PoolOptions:
        word = self._inherited(fields, g.PROFILE)
        profile = self._profile(word, layer) if word else None
        base = profile.options if profile else None
        return merged(base, self.fields.get(g.POOL_KEY), fields.get(g.POOL_KEY))

    def _pool_place(self, fields: Fields) -> Node:
        """Return the place where the test, or else its class, describes its pool."""
        for given in (fields, self.fields):
            for key in (g.POOL_KEY, g.PROFILE):
                if given.has(key):
                    return given.at(key)
        return fields.node

    def _profile(self, word: Word, layer: Layer) -> Profile | None:
        profile = self.catalog.profiles.get(word.text)
        if profile is None:
            known = self.catalog.profiles
            hint = expected(known, word.text) if known else "no file with profiles was loaded"
            self.reader.problem(word.node, f"unknown profile {shown(word.text)}", hint)
        elif profile.layer not in (None, layer):
            message = f"the profile {shown(word.text)} is for the layer {profile.layer}"
            self.reader.problem(word.node, message, f"a test that uses it is of the layer {layer}")
        return profile

    def _covers(self, fields: Fields) -> tuple[str, ...]:
        known = self.catalog.requirements
        seen: dict[str, None] = {}
        for word in fields.get(g.COVERS) or ():
            if known and word.text not in known:
                near = nearest(word.text, tuple(known))
                listed = f"the keys are listed in {', '.join(self.catalog.listing)}"
                hint = f"did you mean {near!r}?" if near else listed
                self.reader.problem(word.node, f"unknown requirement {shown(word.text)}", hint)
            if word.text in seen:
                self.reader.problem(word.node, f"{shown(word.text)} is named twice", "name it once")
            seen[word.text] = None
        return tuple(seen)

    def _check(self, word: Word, fields: Fields, names: Names) -> None:
        """A test expects something, stops its loads, and asks only an application that it has."""
        if not names.expecting and not names.incomplete and not fields.has(g.EXPECT_KEY):
            hint = "add 'expect', or a step that says how it fails, how long it takes or returns"
            self.reader.problem(word.node, f"nothing is expected of {shown(word.text)}", hint)
        for label, node in names.running.items():
            message = f"the load {shown(label)} is never stopped"
            self.reader.problem(node, message, f"add a step: stop: {label}")
        if not self._inherited(fields, g.WEB_APP):
            for node in names.asked:
                message = "the test has no web application to ask"
                self.reader.problem(node, message, "name one: web_app: visits")

    def _has_own_pool(self, fields: Fields, names: Names, app: Word | None) -> bool:
        """Return whether a test has a pool besides those that its steps make.

        It has if it describes one, or if its steps make none. Reports what names no pool otherwise.
        """
        keys = (g.POOL_KEY, g.PROFILE)
        if not names.makers or app or any(fields.has(key) for key in keys):
            return True
        message = f"a test with {names.makers[0]!r} has its own pool only if it describes one"
        hint = "name the pool: from: …; or give the test one: pool: {size: 2}"
        for node in names.own_pool:
            self.reader.problem(node, message, hint)
        for what, node, pools in names.unnamed if not names.incomplete else ():
            if len(pools) != 1:
                message = f"{what!r} is about one pool, and {_several(pools)}"
                self.reader.problem(node, message, "name it: from: …" if pools else "open one")
        return False


def _several(pools: tuple[str, ...]) -> str:
    if not pools:
        return "no pool is open here"
    return f"the test has {len(pools)}: {', '.join(pools)}"
