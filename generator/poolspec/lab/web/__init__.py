"""A web application under test: its server, requests and answers."""
