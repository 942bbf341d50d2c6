"""Runs a test on virtual time twice and compares the two event logs.

`comparison` decides how much must be equal; `twice` makes the two runs, for `pytest --twice`.
"""
