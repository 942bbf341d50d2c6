"""Bytes that an asyncio stream has not sent yet."""

import asyncio
from typing import Any

_SEND_POLL = 0.005
"""Seconds between two checks of the unsent bytes under TLS."""


def unsent(writer: asyncio.StreamWriter) -> int:
    """Return the number of unsent bytes; under TLS, those of the transport below."""
    transport: Any = writer.transport
    below = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    return int((below or transport).get_write_buffer_size())


async def sent(writer: asyncio.StreamWriter) -> None:
    """Wait until all bytes are sent."""
    await writer.drain()
    while unsent(writer):  # the transport below TLS signals nothing when it is empty
        await asyncio.sleep(_SEND_POLL)
