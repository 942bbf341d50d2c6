"""Finds the things that ended test runs left on this machine, and removes them.

Each thing of a run names its owner: a directory by its lock, a process by the environment variable
POOLSPEC_RUN, a database and a user by their name. Only things whose owner has ended count. So the
search can run at any time beside other runs, and never touches their things.

    found = find(server)        # a `Leftovers`; true if anything is left
    found.remove()

The list of processes and of their ports needs Linux.
"""

from poolspec.leftovers.finding import Leftovers, find, settled
from poolspec.leftovers.processes import LeftProcess, left_processes

__all__ = ["LeftProcess", "Leftovers", "find", "left_processes", "settled"]
