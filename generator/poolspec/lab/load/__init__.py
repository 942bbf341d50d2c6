"""Generated load: its tasks, its results, and the loads of a test, in either concurrency mode."""
