"""The lab for pools that threads use."""
