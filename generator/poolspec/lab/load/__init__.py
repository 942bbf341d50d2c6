"""Generated load, in the parts that threads and tasks share."""
