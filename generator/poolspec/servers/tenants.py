"""The tenants that a server has, by its databases and by its users.

A crash between two statements leaves a database without a user, or a user without a database. An
account that may make users need not be able to list them; then the databases alone count.
"""

from contextlib import suppress

from poolspec.servers.admin import Admin, RefusedError
from poolspec.servers.names import is_name

_DATABASES = "SELECT SCHEMA_NAME FROM information_schema.schemata"
_USERS = "SELECT User FROM mysql.user"


def tenants_on(admin: Admin) -> tuple[str, ...]:
    """Return the names of all tenants, whether complete or not."""
    names = {str(name) for (name,) in admin.run(_DATABASES)}
    with suppress(RefusedError):  # the account may not read the list of users
        names |= {str(name) for (name,) in admin.run(_USERS)}
    return tuple(sorted(name for name in names if is_name(name)))
