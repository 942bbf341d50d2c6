"""The parts that both pools share: options, log, hooks, contexts, forks, deferred work."""
