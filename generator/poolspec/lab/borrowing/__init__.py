"""What a test holds of its pools: connections on loan, and blocks between their two ends."""
