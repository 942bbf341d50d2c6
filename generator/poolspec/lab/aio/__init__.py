"""The lab for pools that asyncio tasks use; the source of modules in `poolspec.lab.threads`."""
