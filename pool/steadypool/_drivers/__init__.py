"""Database drivers: how connections are opened, inspected, reset and closed."""
