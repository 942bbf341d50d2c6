"""Generates and runs tests of connection pools from specs in YAML."""
