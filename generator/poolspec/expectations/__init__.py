"""The expectations of a test: one row per kind, in `registry`; those of a load in `outcomes`."""
