"""Tests that can never hold or never fail: capabilities they need, figures out of reach."""
