"""What holds in every test: the event log, and the checks that read it, the server and the pool."""
