"""Faults of the network: a line between the pools of one test and its server, and its toxics."""

from poolspec.faults.network.control import NetworkFaults
from poolspec.faults.network.line import Line
from poolspec.faults.network.toxics import OF_NETWORK, Toxic

__all__ = ["OF_NETWORK", "Line", "NetworkFaults", "Toxic"]
