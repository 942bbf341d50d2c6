"""Say, check and publish how a connection pool behaves."""
