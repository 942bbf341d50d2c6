"""Virtual clocks and scripted connections, published by `steadypool.testing` and `testing_aio`."""
