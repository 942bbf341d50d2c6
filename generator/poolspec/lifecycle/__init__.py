"""How a test ends: the deadline alarm, teardown, forked children and what they need."""
