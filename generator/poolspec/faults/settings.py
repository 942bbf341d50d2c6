"""The settings of a private server for one test, which end with the test."""

from collections.abc import Callable, Mapping, Sequence

from poolspec.servers import PrivateServer


class ServerSettings:
    """Global system variables that the test has changed."""

    def __init__(self, servers: Callable[[], Sequence[PrivateServer]]) -> None:
        self._servers = servers
        self._before: dict[tuple[PrivateServer, str], int] = {}
        self._wanted: dict[str, int] = {}

    def set(self, wanted: Mapping[str, int]) -> None:
        """Change variables; the new values hold for connections that are opened from now on."""
        for server in self._servers():
            for name, value in wanted.items():
                self._before.setdefault((server, name), server.setting(name))
                self._wanted[name] = value
                server.set_up(name, value)

    def value(self, name: str) -> int:
        """Return the value that a variable has during this test."""
        return self._wanted[name]

    def repeat(self, server: PrivateServer) -> None:
        """Change the variables of a server that was started again."""
        for name, value in self._wanted.items():
            server.set_up(name, value)

    def undo(self) -> None:
        """Set the variables to the values that they had before the test."""
        while self._before:
            (server, name), value = self._before.popitem()
            server.set_up(name, value)
        self._wanted.clear()
