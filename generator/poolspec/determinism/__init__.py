"""Runs a test on virtual time twice and compares the two event logs.

`comparison` says what must be equal; `twice` makes the two runs, for `pytest --twice`.
"""
