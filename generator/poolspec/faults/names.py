"""Host names that exist during one test only.

While a test has such a name, `socket.getaddrinfo` is replaced, through which every look-up of a
name in this process goes. The addresses are real. A name may lead to several ports, because each
address comes with its port.
"""

import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from poolspec.faults.calls import CallFaults
from poolspec.servers import Address
from poolspec.vocabulary import Call


class HostNames:
    """The names of one test, and how long it takes to look one up. Safe to use from any thread."""

    def __init__(self, calls: CallFaults) -> None:
        self._calls = calls
        self._known: dict[str, tuple[Address, ...]] = {}
        self._moved_to: Address | None = None
        self._over = threading.Event()
        """Ends slow look-ups."""
        self._system: Callable[..., Any] | None = None

    def add(self, name: str, *addresses: Address) -> None:
        """Let a name lead to addresses, to be tried in this order."""
        self._known[name] = addresses
        if self._system is None:
            self._system = socket.getaddrinfo
            socket.getaddrinfo = self._look_up

    def move(self, address: Address | None) -> None:
        """Let every name lead to another address; None: to its own again."""
        self._moved_to = address

    def end_look_ups(self) -> None:
        """Let slow look-ups end now."""
        self._over.set()

    def forget(self) -> None:
        """Undo everything."""
        self.end_look_ups()
        if self._system is not None:
            socket.getaddrinfo, self._system = self._system, None

    def _look_up(self, host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        """Look up a name, as `socket.getaddrinfo` does."""
        found = self._known.get(host.decode() if isinstance(host, bytes) else host)
        if found is None:
            assert self._system is not None
            return self._system(host, port, *rest, **options)
        plan = self._calls.plan(Call.NAME_LOOKUP)
        if plan.delay:
            self._over.wait(plan.delay)
        if plan.hang is not None:
            healed = threading.Event()
            plan.hang.when_over(healed.set)
            healed.wait()
        if plan.error is not None:
            raise plan.error
        return _answer(found if self._moved_to is None else (self._moved_to,))


def _answer(addresses: Sequence[Address]) -> list[Any]:
    tcp = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    return [(*tcp, (address.host, address.port)) for address in addresses]
