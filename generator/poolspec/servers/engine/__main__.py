"""Run the embedded server: DIRECTORY UNIX_SOCKET HOST PORT.

It ends when its guardian kills it, and by SIGTERM it shuts down. It logs to standard error.
"""

import asyncio
import sys
from pathlib import Path

from poolspec.servers.engine.server import EngineServer
from poolspec.servers.engine.store import register_types


def main() -> None:
    """Serve until killed, or until SIGTERM."""
    directory, unix_socket, host, port = sys.argv[1:]
    register_types()
    asyncio.run(EngineServer(Path(directory)).listen(unix_socket, host, int(port)))


main()
