"""The time line of a test: its picture and its table, from the figures of a results file."""
