"""Ports: those that a run may take, and what is said about one that is taken."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.servers.conftest import KINDS

from poolspec.servers import (
    PortTakenError,
    ServerError,
    ServerKind,
    bound_socket,
    listening_socket,
    start_server,
)
from poolspec.servers.ports import DEFAULT, chosen_ports, free_port, holder, is_free

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows who has a port")
LISTENS = """
import socket, sys
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
sys.stdin.read()
"""
WAY_OUT = "End that process, or choose other ports with --ports FIRST-LAST or POOLSPEC_PORTS."

Other = subprocess.Popen[str]


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """The one port that this process may take. It is free."""
    free = free_port()
    monkeypatch.setenv("POOLSPEC_PORTS", str(free))
    return free


@pytest.fixture
def other(port: int) -> Iterator[Other]:
    """Another process, which listens on the port."""
    with subprocess.Popen(
        [sys.executable, "-c", LISTENS, str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


@LINUX
def test_the_error_names_the_process_that_listens_on_a_port_and_the_way_out(
    port: int, other: Other
) -> None:
    name = Path(f"/proc/{other.pid}/comm").read_text().strip()
    for take in (free_port, bound_socket, listening_socket):
        with pytest.raises(PortTakenError) as wrong:
            take()
        assert str(wrong.value) == (
            f"port {port} on 127.0.0.1 is taken by {name}, process {other.pid}. {WAY_OUT}"
        )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("other")
def test_a_private_server_without_a_free_port_leaves_neither_directory_nor_process(
    port: int, kind: ServerKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(prefix="ps-") as own:
        monkeypatch.setenv("TMPDIR", own)
        monkeypatch.setattr(tempfile, "tempdir", own)
        with pytest.raises(PortTakenError, match=f"port {port} on 127.0.0.1 is taken by "):
            start_server(kind)
        assert list(Path(own).iterdir()) == []


def test_a_holder_that_the_system_does_not_show_is_another_process(port: int) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", port))
        assert holder(port) == ""
        with pytest.raises(PortTakenError, match=f"port {port} .* is taken by another process. "):
            listening_socket()


def test_of_many_taken_ports_the_error_names_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    first, taken = _five_ports_in_a_row()
    monkeypatch.setenv("POOLSPEC_PORTS", f"{first}-{first + 4}")
    try:
        with pytest.raises(PortTakenError) as wrong:
            free_port()
    finally:
        for one in taken:
            one.close()
    assert str(wrong.value).count(" is taken") == 3
    assert f"port {first + 2} on " in str(wrong.value)
    assert "; so are 2 more. End that process" in str(wrong.value)


def _five_ports_in_a_row() -> tuple[int, list[socket.socket]]:
    for first in range(DEFAULT.start, DEFAULT.stop, 5):
        row = range(first, first + 5)
        if all(map(is_free, row)):
            return first, [socket.create_server(("127.0.0.1", port)) for port in row]
    raise AssertionError("no five ports in a row are free")


def test_the_ports_are_below_those_that_clients_get() -> None:
    assert chosen_ports() == range(20000, 32768)
    with listening_socket() as listening:
        assert listening.getsockname()[1] in DEFAULT


@pytest.mark.parametrize("take", [bound_socket, listening_socket])
def test_a_chosen_port_is_the_one_that_is_taken(
    port: int, take: Callable[[], socket.socket]
) -> None:
    with take() as taken:
        assert taken.getsockname() == ("127.0.0.1", port)
        assert not is_free(port)
    assert is_free(port)


@pytest.mark.parametrize("text", ["", "many", "80", "3000-2000", "1024-65536", "20000-", "-20000"])
def test_ports_that_cannot_be_read_are_an_error_with_an_example(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLSPEC_PORTS", text or " ")
    with pytest.raises(ServerError) as wrong:
        chosen_ports()
    assert str(wrong.value) == (
        f"POOLSPEC_PORTS is {text or ' '!r}; expected FIRST-LAST or one port, "
        "from 1024 to 65535, such as 20000-20099."
    )


@LINUX
def test_the_holder_of_a_port_of_this_process_is_this_process() -> None:
    with listening_socket() as listening:
        assert holder(listening.getsockname()[1]).endswith(f", process {os.getpid()}")
