"""The embedded server's own process: `python -m poolspec.servers.engine`.

    connection.py   the protocol of one client: greeting, authentication, commands
    session.py      the state of a session: transaction, variables, waits
    statement.py    statements about the session and the server, known by their first words
    translate.py    all other statements, from MySQL's SQL to SQLite's
    store.py        the database files, and the right to write to each
    accounts.py     users, databases and rights
    catalog.py      information_schema, computed for each query
    wire.py         the bytes; the only importer of mysql_mimic

All sessions share one thread. Everything that can take long (sleeping, waiting for the right to
write) is awaited, so no session delays another. SQLite itself never waits, because writers queue
before they reach it.
"""
