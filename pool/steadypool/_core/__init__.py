"""The rules of a pool as a state machine: no threads, no clock, no I/O."""
