"""Units of work that are all or nothing, with optimistic locking.

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
    """Check that the last statement changed exactly one row.

    Otherwise raises ConflictError, which names `what`; inside `transaction()` that rolls the unit
    of work back. The statement must change every row it finds, for example by incrementing a
    version, because MySQL does not count rows that keep their values.
    """
    if cursor.rowcount == 1:
        return
    if cursor.rowcount == 0:
        raise ConflictError(
            f"{what} was changed or deleted by another transaction; read it again and retry"
        )
    raise ConflictError(f"the statement for {what} changed {cursor.rowcount} rows instead of one")
