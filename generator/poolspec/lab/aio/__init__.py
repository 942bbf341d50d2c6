"""The lab for pools that are used by asyncio tasks."""
