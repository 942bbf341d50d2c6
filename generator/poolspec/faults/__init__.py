"""Faults that a test causes: in calls, at the server, in hooks, and in the targets of connects."""
