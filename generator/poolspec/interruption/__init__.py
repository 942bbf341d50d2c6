"""Interruption points: where a call may be interrupted, and how a test reaches each of them."""
