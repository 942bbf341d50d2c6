"""What must hold in every test: the event log, and the checks on log, pool, process and server."""
