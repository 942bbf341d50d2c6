"""Finds what test runs of this machine have left behind, and removes it.

A run, and each process and thing of it, carries its owner: a directory by its lock, a process by
the environment variable POOLSPEC_RUN, a database and a user by their name. Only what an ended owner
has left counts. So the check can run at any time beside other runs, and never touches those.

    found = find(server)        # a `Leftovers`; true if anything is left
    found.remove()

The list of processes and of their ports needs Linux.
"""

from poolspec.leftovers.finding import Leftovers, find, settled
from poolspec.leftovers.processes import LeftProcess, left_processes

__all__ = ["LeftProcess", "Leftovers", "find", "left_processes", "settled"]
