"""The steps of a test: one module per family, one row per step.

A family module holds the models, keys, readers, writers and sentences of its steps, and lists its
rows as `KINDS`. `kind` defines the row, and the functions that go through all rows. A new step
needs a row in a family; a new family needs its place in the list below.
"""

from poolspec.steps import (
    actors,
    blocks,
    borrow,
    entered,
    expect,
    faults,
    forks,
    load,
    opening,
    other_pools,
    pool,
    query,
    waiting,
    web,
)
from poolspec.steps.kind import register
from poolspec.steps.rounds import interruption, memory, reentry

for family in (
    *(borrow, blocks, entered, query, pool, other_pools, opening, actors, forks),
    *(interruption, reentry, memory, waiting, faults, web, load, expect),
):
    register(family.KINDS)
