"""Units of work: all or nothing, and optimistic locking.

with pool.transaction() as connection, connection.cursor() as cursor:
    cursor.execute(
        "UPDATE account SET balance = %s, version = version + 1 WHERE id = %s AND version = %s",
        (balance, number, version),
    )
    expect_one(cursor)
"""

from typing import Any

from steadypool.errors import ConflictError


def expect_one(cursor: Any, what: str = "the row") -> None:
    """Make sure that the statement just run changed exactly one row.

    Raises ConflictError, which names `what`, if it did not; within a transaction that undoes the
    unit of work. The statement must change the row whenever it finds it, as counting up a version
    does: MySQL does not count rows that stay as they are.
    """
    if cursor.rowcount == 1:
        return
    if cursor.rowcount == 0:
        raise ConflictError(
            f"{what} was changed or deleted by somebody else meanwhile; read it again and retry"
        )
    raise ConflictError(f"one row was to be changed for {what}, but {cursor.rowcount} were")
