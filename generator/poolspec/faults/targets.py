"""The targets of the pools that a test opens: the right server, or one that refuses a connect.

The lab makes each target on first use. A target is real and stays the same until the test ends. A
port without a listener is bound, so that no other process can start to listen on it.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

from poolspec.faults.calls import CallFaults
from poolspec.faults.greeter import Greeter
from poolspec.faults.names import HostNames
from poolspec.faults.network import Line
from poolspec.faults.tls import TLS_FAULTS, TlsFront
from poolspec.servers import (
    Address,
    Barred,
    PrivateServer,
    Server,
    ServerPair,
    Tenant,
    bound_socket,
    new_password,
)
from poolspec.vocabulary import Detail, Fault, ServerNumber, Target

_NO_HOST = "no-such-host.invalid"
_NEVER_ASKED = "never_asked_for"
"""A database that no server ever sees."""
OF_TARGETS = TLS_FAULTS | {Fault.NAME_MOVED}
"""The faults of the way to a target."""


class Targets:
    """The targets of one test. Safe to use from any actor."""

    def __init__(self, server: Server, tenant: Tenant, calls: CallFaults) -> None:
        self._server = server
        self._tenant = tenant
        self._names = HostNames(calls)
        self._greeters: list[Greeter] = []
        self._fronts: dict[Target, TlsFront] = {}
        self._lock = threading.Lock()
        self._known: dict[Target, Tenant] = {}
        self._sockets: list[socket.socket] = []
        self.strangers: list[Tenant] = []
        """Identities at the server other than the test's own."""
        self.line: Line | None = None
        """The line to the server, if the test silences one."""

    def where(self, target: Target) -> Tenant:
        """Return the address and identity of a target. Raises ServerError."""
        with self._lock:
            if target not in self._known:
                self._known[target] = self._makers[target](self)
            return self._known[target]

    def details(self, target: Target, details: tuple[Detail, ...]) -> tuple[str, ...]:
        """Return the words by which an error names a target."""
        where = self.where(target)
        words = {
            Detail.ADDRESS: str(where.address),
            Detail.USER: where.user,
            Detail.DATABASE: where.database,
        }
        return tuple(words[detail] for detail in details)

    def front(self, target: Target) -> TlsFront | None:
        """Return the front of a target that has one, once `where` has made it."""
        return self._fronts.get(target)

    def passwords(self) -> set[str]:
        """Return the passwords that pools were given."""
        with self._lock:
            return {tenant.password for tenant in (self._tenant, *self._known.values())}

    def break_way(self, fault: Fault, to: ServerNumber | None) -> None:
        """Begin a fault of `OF_TARGETS`; a name may move `to` a server of the test."""
        if fault is Fault.NAME_MOVED:
            self._names.move(self._port() if to is None else self._address_of(to))
        else:
            assert self._fronts, "open a pool with `target: tls` or `target: tls_client` first"
            for front in self._fronts.values():
                front.set(fault)

    def mend_way(self, fault: Fault) -> None:
        """End it, if it is one that ends."""
        if fault is Fault.NAME_MOVED:
            self._names.move(None)
        else:
            for front in self._fronts.values():
                front.mend()

    def hang_up(self) -> None:
        """Close the ports: a client that waits there gets an error at once. End look-ups."""
        self._names.end_look_ups()
        for greeter in self._greeters:
            greeter.hang_up()
        for front in self._fronts.values():
            front.hang_up()
        with self._lock:
            while self._sockets:
                self._sockets.pop().close()

    def clean_up(self) -> None:
        """Leave nothing at the server except the test's own identity."""
        self.hang_up()
        self._names.forget()
        for front in self._fronts.values():
            front.close()
        for tenant in self.strangers:
            self._server.drop_tenant(tenant)

    # --- one by one; the lock is held ------------------------------------------------------------

    def _right(self) -> Tenant:
        if self.line is not None:
            return replace(self._tenant, address=self.line.address)
        address = self._tenant.address
        if isinstance(self._server, PrivateServer | ServerPair):  # which listens on both
            address = replace(address, unix_socket=None)
        return replace(self._tenant, address=address)

    def _no_database(self) -> Tenant:
        return replace(self._right(), database="")

    def _wrong_password(self) -> Tenant:
        return replace(self._right(), password=new_password())

    def _unknown_database(self) -> Tenant:
        """Return a database that its user may use, and that was dropped."""
        stranger = self._server.create_tenant()
        self.strangers.append(stranger)
        with closing(self._server.connect(stranger)) as connection:
            connection.run(f"DROP DATABASE {stranger.database}")
        return replace(stranger, address=self._right().address)

    def _unknown_host(self) -> Tenant:
        return self._elsewhere(Address(_NO_HOST, 3306))

    def _refused(self) -> Tenant:
        return self._elsewhere(self._port())

    def _silent(self) -> Tenant:
        return self._elsewhere(self._listening())

    def _named(self) -> Tenant:
        return self._by_name("db.poolspec.test")

    def _both_servers(self) -> Tenant:
        first, second = (self._address_of(number) for number in ServerNumber)
        name = "both.poolspec.test"
        self._names.add(name, first, second)
        return replace(self._tenant, address=Address(name, first.port))

    def _address_of(self, number: ServerNumber) -> Address:
        """Return the TCP address of one of the test's servers."""
        assert isinstance(self._server, ServerPair), "servers: 2"
        return replace(self._server.server(number).address, unix_socket=None)

    def _second_address(self) -> Tenant:
        return self._by_name("two.poolspec.test", self._listening())

    def _third_address(self) -> Tenant:
        return self._by_name("three.poolspec.test", self._port(), self._full())

    def _closed_addresses(self) -> Tenant:
        name, first, second = "closed.poolspec.test", self._port(), self._port()
        self._names.add(name, first, second)
        return self._elsewhere(Address(name, second.port))

    def _dying_address(self) -> Tenant:
        right = self._right()
        greeter = Greeter(right.address)
        self._greeters.append(greeter)
        return self._by_name("dying.poolspec.test", greeter.address)

    def _by_name(self, name: str, *before: Address) -> Tenant:
        """Return the right server by a name that has these addresses before its own."""
        right = self._right()
        self._names.add(name, *before, right.address)
        return replace(right, address=Address(name, right.address.port))

    def _tls(self) -> Tenant:
        return self._behind_front(Target.TLS, False)

    def _tls_client(self) -> Tenant:
        return self._behind_front(Target.TLS_CLIENT, True)

    def _behind_front(self, target: Target, asks: bool) -> Tenant:
        right = self._right()
        front = self._fronts[target] = TlsFront(right.address, asks)
        return replace(right, address=front.address)

    def _account_locked(self) -> Tenant:
        return self._barred(Barred.LOCKED)

    def _password_expired(self) -> Tenant:
        return self._barred(Barred.EXPIRED)

    def _plugin_missing(self) -> Tenant:
        return self._barred(Barred.PLUGIN)

    def _barred(self, why: Barred) -> Tenant:
        server = self._server
        assert isinstance(server, PrivateServer), "needs: server_control"
        stranger = server.create_tenant()
        self.strangers.append(stranger)
        server.bar(stranger, why)
        return replace(stranger, address=self._right().address)

    def _listening(self) -> Address:
        address = self._port()
        self._sockets[-1].listen()  # the system accepts connections; nothing ever reads or writes
        return address

    def _full(self) -> Address:
        """Return a port whose queue is full: the system drops the packets of further clients."""
        address = self._port()
        self._sockets[-1].listen(0)
        for _ in range(2):
            client = socket.socket()
            self._sockets.append(client)
            client.setblocking(False)
            client.connect_ex((address.host, address.port))
        return address

    def _port(self) -> Address:
        taken = bound_socket()
        self._sockets.append(taken)
        host, port = taken.getsockname()
        return Address(host, port)

    def _elsewhere(self, address: Address) -> Tenant:
        return replace(self._tenant, address=address, database=_NEVER_ASKED)

    _makers: dict[Target, Callable[["Targets"], Tenant]] = {  # noqa: RUF012 - never changed
        Target.RIGHT: _right,
        Target.NO_DATABASE: _no_database,
        Target.WRONG_PASSWORD: _wrong_password,
        Target.UNKNOWN_DATABASE: _unknown_database,
        Target.UNKNOWN_HOST: _unknown_host,
        Target.REFUSED: _refused,
        Target.SILENT: _silent,
        Target.NAMED: _named,
        Target.BOTH_SERVERS: _both_servers,
        Target.SECOND_ADDRESS: _second_address,
        Target.THIRD_ADDRESS: _third_address,
        Target.CLOSED_ADDRESSES: _closed_addresses,
        Target.DYING_ADDRESS: _dying_address,
        Target.TLS: _tls,
        Target.TLS_CLIENT: _tls_client,
        Target.ACCOUNT_LOCKED: _account_locked,
        Target.PASSWORD_EXPIRED: _password_expired,
        Target.PLUGIN_MISSING: _plugin_missing,
    }
