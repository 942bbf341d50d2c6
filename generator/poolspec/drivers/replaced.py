"""Opens a test's connections in a pool that takes no connect callable.

Such a pool calls a connect function of some module, and passes on to it the keyword arguments that
the pool was made with. So the lab's own connect reaches that function as one more of them:

    connects = Replaced("aiomysql.pool", "connect")
    pool = await aiomysql.create_pool(minsize=1, maxsize=5, **connects(wiring.connect))

The function is replaced once for the whole process. Called without this argument, it does what it
did before. A pool that refuses unknown arguments takes it as one that it knows, such as `host`:

    connects = Replaced("mysql.connector.pooling", keyword="host")
"""

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

KEYWORD = "poolspec_connect"


class Replaced:
    """The connect function of a module, which pools of that module call.

    `module` is the name of the module in which a pool looks the function up; it is imported when a
    pool is made. `keyword` is the argument by which the pool passes the lab's connect on.
    """

    def __init__(self, module: str, name: str = "connect", keyword: str = KEYWORD) -> None:
        self._module = module
        self._name = name
        self._keyword = keyword

    def __call__(self, connect: Callable[[], Any]) -> dict[str, Any]:
        """Return the keyword argument by which a pool that is made with it connects."""
        module = import_module(self._module)
        own = getattr(module, self._name)
        if not hasattr(own, KEYWORD):
            setattr(module, self._name, _replacing(own, self._keyword))
        return {self._keyword: connect}


def _replacing(own: Callable[..., Any], keyword: str) -> Callable[..., Any]:
    @wraps(own)
    def connect(*arguments: Any, **options: Any) -> Any:
        opens = options.get(keyword)
        return opens() if callable(opens) else own(*arguments, **options)

    setattr(connect, KEYWORD, True)
    return connect
