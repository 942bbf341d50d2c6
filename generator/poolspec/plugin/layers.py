"""The layers of a run: which are chosen, and tests of the performance layer alone.

While a test of the performance layer runs, no worker runs another test. It waits until the tests of
all workers have ended, and the tests after it wait for it. This holds for every way in which
pytest-xdist hands out tests, because the workers agree by two locks on files:

    gate   held shared for an instant before each test; held alone by a performance test
    room   held shared during each test; held alone during a performance test

A performance test that has the gate stops all new tests, so it waits for the running ones only. The
kernel releases the locks of a worker that dies. The files lie in pytest's temporary folder of the
run, which all workers share. Without workers there is one process, which runs one test at a time.

Performance tests run last, so that they seldom wait. While a generated test runs, garbage
collections leave out what the session has gathered: with it, they would stop all threads too long.
"""

import argparse
import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from poolspec.lifecycle.heap import Heap
from poolspec.plugin.properties import as_property
from poolspec.vocabulary import Layer, layers

if TYPE_CHECKING:
    from poolspec.servers import Server

GATE, ROOM = "poolspec-gate.lock", "poolspec-room.lock"


def chosen_layers(words: str) -> list[Layer]:
    """Return the layers of the option `--layer`, for argparse."""
    try:
        return layers(words)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class Layers:
    """Leaves out the tests of other layers, and keeps performance tests alone."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._chosen: list[Layer] | None = config.getoption("--layer")
        folder = _shared_folder(config)
        self._locks = _Locks(folder) if folder else None
        self._heap = Heap()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Deselect the tests of layers that are not chosen; put performance tests last."""
        if self._chosen is not None:
            left_out = [item for item in items if layer_of(item) not in self._chosen]
            if left_out:
                items[:] = [item for item in items if layer_of(item) in self._chosen]
                self._config.hook.pytest_deselected(items=left_out)
        items.sort(key=lambda item: layer_of(item) is Layer.PERFORMANCE)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Run a performance test alone, and any other test beside others."""
        layer = layer_of(item)
        with ExitStack() as held:
            if self._locks is not None:
                held.enter_context(self._locks.held(alone=layer is Layer.PERFORMANCE))
            if layer is not None:
                held.enter_context(self._heap.set_aside())
            return (yield)


@contextmanager
def measured(item: pytest.Item, server: "Server | None", adapter: Any) -> Iterator[None]:
    """Run a performance test between two slices of the control if the run measures."""
    wanted = item.config.getoption("--control") and layer_of(item) is Layer.PERFORMANCE
    if server is None or not wanted:
        yield
        return
    from poolspec.lab.load.control import Figures, run_slice

    figures = Figures()
    run_slice(server, adapter.driver, figures)
    try:
        yield
        run_slice(server, adapter.driver, figures)
    finally:
        item.user_properties.append(as_property("control", figures.as_dict()))


def layer_of(item: pytest.Item) -> Layer | None:
    """Return the layer of a generated test."""
    marker = item.get_closest_marker("spec")
    return Layer(marker.kwargs["layer"]) if marker and "layer" in marker.kwargs else None


def _shared_folder(config: pytest.Config) -> Path | None:
    """Return the folder that all workers on this machine share; None in a run without workers."""
    own: Any = config.getoption("basetemp", None)
    return Path(own).parent if hasattr(config, "workerinput") and own else None


class _Locks:
    """The locks of one worker."""

    def __init__(self, folder: Path) -> None:
        self._gate, self._room = (_opened(folder / name) for name in (GATE, ROOM))

    @contextmanager
    def held(self, *, alone: bool) -> Iterator[None]:
        """Hold the room during a test, after all tests that came before a performance test."""
        how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
        fcntl.flock(self._gate, how)
        fcntl.flock(self._room, how)
        if not alone:
            fcntl.flock(self._gate, fcntl.LOCK_UN)
        try:
            yield
        finally:
            # A forked child has the same lock, so it is released here and not by its close.
            fcntl.flock(self._room, fcntl.LOCK_UN)
            fcntl.flock(self._gate, fcntl.LOCK_UN)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
