"""The rules of a pool as a state machine: no threads, no clock, no input or output."""
