"""The steps of a test: one module per family, one row per step."""
