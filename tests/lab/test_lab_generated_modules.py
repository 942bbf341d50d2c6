"""The threads lab's generated modules are those of the asyncio lab, without `async` and `await`."""

import pytest
from tools.async_to_sync import MODULES, TARGET, main, translate


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("async def use(self) -> None:", "def use(self) -> None:"),
        ("held = await self.acquire()", "held = self.acquire()"),
        ("async with pool as held:", "with pool as held:"),
        ("await asyncio.to_thread(self._strike, fault, on)", "self._strike(fault, on)"),
        ("await asyncio.to_thread(self._left)", "self._left()"),
        ("work: Callable[[], Awaitable[None]]", "work: Callable[[], None]"),
        ("def connect(self) -> AsyncHeld:", "def connect(self) -> Held:"),
        (
            "from poolspec.lab.aio.pool import AsyncPool",
            "from poolspec.lab.threads.pool import Pool",
        ),
        ("pool: AsyncContext", "pool: ThreadsContext"),
        ("block.__aenter__()", "block.__enter__()"),
        ("find_web_app(name, Concurrency.ASYNCIO)", "find_web_app(name, Concurrency.THREADS)"),
    ],
)
def test_an_asyncio_line_becomes_a_line_for_threads(source: str, wanted: str) -> None:
    assert translate(source, "there.py").splitlines()[-1] == wanted


def test_a_module_that_uses_the_current_task_imports_threading() -> None:
    text = translate("import asyncio\n\nkey = asyncio.current_task()\n", "there.py")
    assert text.endswith("import threading\n\nkey = threading.current_thread()\n")


def test_a_module_without_a_task_imports_no_asyncio() -> None:
    assert "import" not in translate("import asyncio\n\nawait asyncio.to_thread(f)\n", "there.py")


def test_a_generated_module_names_its_source_first() -> None:
    for name in MODULES:
        first = (TARGET / f"{name}.py").read_text("utf-8").splitlines()[0]
        assert first.endswith(f"from generator/poolspec/lab/aio/{name}.py.")


def test_the_generated_modules_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().out
