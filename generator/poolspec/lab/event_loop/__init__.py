"""The event loop of every asyncio test, and the clock that passes its virtual time."""
