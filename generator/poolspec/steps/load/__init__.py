"""The steps of generated load."""

from poolspec.steps.load.model import Load, Stop
from poolspec.steps.load.rows import KINDS

__all__ = ["KINDS", "Load", "Stop"]
