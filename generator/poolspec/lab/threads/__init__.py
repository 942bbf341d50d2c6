"""The lab for pools that threads use. Some modules are generated from `poolspec.lab.aio`."""
