"""Ports that servers bind later: each is one's own until it is released."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from mlops_constructs.local_aws import ports
from mlops_constructs.local_aws.ports import ReservedPort

ANOTHER = "from mlops_constructs.local_aws import ports; ports._PORTS = range({0}, {0} + 1); ports.ReservedPort()"


def another_takes(number: int) -> bool:
    """Tell whether another process can reserve this port."""
    done = subprocess.run([sys.executable, "-c", ANOTHER.format(number)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "is already in use" in done.stderr
    return done.returncode == 0


def test_a_reserved_port_can_be_bound_and_is_no_one_elses_until_it_is_released() -> None:
    port = ReservedPort()
    with socket.create_server(("127.0.0.1", port.number)):
        pass
    assert not another_takes(port.number)
    port.release()
    port.release()
    assert another_takes(port.number)


def test_two_are_never_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ReservedPort()
    monkeypatch.setattr(ports, "_PORTS", range(first.number, first.number + 1))
    with pytest.raises(OSError, match="is already in use"):
        ReservedPort()
    first.release()


def test_a_port_that_a_server_listens_on_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    port = ReservedPort()
    port.release()
    monkeypatch.setattr(ports, "_PORTS", range(port.number, port.number + 1))
    with socket.create_server(("127.0.0.1", port.number)), pytest.raises(OSError, match="is already in use"):
        ReservedPort()
