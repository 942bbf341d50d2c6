"""The witness: observations of the lab that need no report of the pool."""
