"""Interruption points: where a call may be interrupted, and the rounds that reach each of them."""
