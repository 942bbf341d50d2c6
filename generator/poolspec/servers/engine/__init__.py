"""The embedded server's own process: `python -m poolspec.servers.engine`.

    connection.py   the protocol of one client: greeting, authentication, commands
    session.py      what a session is in the midst of: transaction, variables, waits
    statement.py    statements about the session and the server, told by their first words
    translate.py    all other statements, from MySQL's SQL to SQLite's
    store.py        the database files, and who may write to each
    accounts.py     who may come in, and what is theirs
    catalog.py      information_schema, true to what is there now
    wire.py         the bytes; the only importer of mysql_mimic

All sessions share one thread. What can take long — sleeping, waiting for the right to write — is
awaited, so nobody delays anybody else; SQLite itself never waits, for writers are queued before
they reach it.
"""
