"""What both pools share: options, log, hooks, contexts, forks and deferred interrupts."""
