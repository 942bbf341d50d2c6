"""How a test ends: deadline alarm, teardown, forked children."""
