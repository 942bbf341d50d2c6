"""A TCP line between the pools of one test and its server: a proxy with toxics.

The line is real: a listening socket on loopback, and two sockets for each connection. One thread
forwards for all of them. Toxics are set and lifted while connections are open.
"""

import socket
import time
from collections.abc import Callable
from functools import partial

from poolspec.faults.network.link import FarEnd, Link, close_by_reset
from poolspec.faults.network.loop import READ, Loop
from poolspec.faults.network.toxics import Mark, Toxic
from poolspec.servers import Address, bound_socket
from poolspec.vocabulary import Fault

_CLOSED = frozenset({Fault.DOWN, Fault.REFUSE})
"""The toxics under which the line accepts no connection."""
_ONCE = frozenset({Fault.HALF_OPEN})
"""The toxics that affect only connections that are open when they are set, for ever."""


class Line:
    """A line to one server. Its public methods are thread-safe."""

    cut: Callable[[int], None]
    """Called in the line's thread before a toxic closes the connection from a port."""

    def __init__(self, server: Address) -> None:
        self.cut = lambda _: None
        self._far = FarEnd.of(server)
        self._toxics: dict[Fault, Toxic] = {}
        self._links: dict[int, Link] = {}
        """By the port of the pool's side."""
        self._holder = bound_socket()
        """Keeps the port while the line does not listen."""
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # bound alone so far
        self.address = Address(*self._holder.getsockname())
        """Where a pool connects."""
        self._listener: socket.socket | None = None
        self._loop = Loop()
        self._loop.run(self._listen)

    def set(self, toxic: Toxic) -> frozenset[int]:
        """Begin a toxic, in place of one of the same kind; return the ports that it affects now."""
        return self._loop.run(partial(self._set, toxic))

    def lift(self, kind: Fault) -> None:
        """End a toxic; what it holds back is sent at once."""
        self._loop.run(partial(self._lift, kind))

    def close(self) -> None:
        """End the line and all its connections. Closing twice does nothing more."""
        self._loop.stop(self._end)

    # --- in the line's thread --------------------------------------------------------------------

    def read(self) -> None:
        """Accept the connections that wait."""
        while self._listener is not None:
            try:
                pool, (_, port) = self._listener.accept()
            except OSError:  # none is left
                return
            toxics = [toxic for toxic in self._toxics.values() if toxic.affects(port)]
            if any(toxic.kind is Fault.RESET_PEER and not toxic.delay for toxic in toxics):
                close_by_reset(pool)
                continue
            closed = partial(self._forget, port)
            link = self._links[port] = Link(self._loop, pool, self._far, closed)
            for toxic in toxics:
                self._apply(toxic, link)

    def write(self) -> None:
        """Do nothing: nothing is written to a listening socket."""

    def _set(self, toxic: Toxic) -> frozenset[int]:
        if toxic.kind not in _ONCE:
            self._toxics[toxic.kind] = toxic
        if toxic.kind in _CLOSED:
            self._stop_listening()
        affected = {port: link for port, link in self._links.items() if toxic.affects(port)}
        for link in affected.values():
            self._apply(toxic, link)
        return frozenset(affected)

    def _apply(self, toxic: Toxic, link: Link) -> None:
        link.add(toxic)
        action = {Fault.DOWN: link.close, Fault.RESET_PEER: link.reset, Fault.TIMEOUT: link.close}
        if toxic.kind not in action:
            return
        if toxic.delay:
            at_last = partial(self._if_set, toxic, action[toxic.kind])
            self._loop.at(time.monotonic() + toxic.delay, at_last)
        elif toxic.kind is not Fault.TIMEOUT:
            action[toxic.kind]()

    def _if_set(self, toxic: Toxic, action: Callable[[], None]) -> None:
        if self._toxics.get(toxic.kind) is toxic:
            action()

    def _lift(self, kind: Fault) -> None:
        toxic = self._toxics.pop(kind, None)
        if toxic is None:
            return
        if not _CLOSED & self._toxics.keys():
            self._listen()
        for port, link in tuple(self._links.items()):
            if kind is not Fault.TIMEOUT:
                link.remove(kind)
            elif toxic.affects(port):  # bytes are missing
                link.close()

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = socket.socket()
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            self._listener.setblocking(False)
            self._listener.bind(self._holder.getsockname())
            self._listener.listen()
            self._loop.watch(self._listener, READ, self)

    def _stop_listening(self) -> None:
        if self._listener is not None:
            self._loop.watch(self._listener, 0, self)
            self._listener.close()
            self._listener = None

    def _forget(self, port: int, mark: Mark) -> None:
        del self._links[port]
        if mark is Mark.CUT:
            self.cut(port)

    def _end(self) -> None:
        self._stop_listening()
        self.cut = lambda _: None
        for link in tuple(self._links.values()):
            link.close()
        self._holder.close()
