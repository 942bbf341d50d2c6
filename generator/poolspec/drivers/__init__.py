"""Database drivers: how the lab opens, watches and uses connections, and the scripted ones.

A driver is an object that an adapter has as its attribute `driver`. `contract` states its methods,
and one module for each driver has them. Nothing outside this package and the servers' own dialect
knows a driver's connections, so another database needs one more module here.
"""
