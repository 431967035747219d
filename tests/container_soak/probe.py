"""Asks a server for its health while it is abused, and whether that is the truth.

It is a process of its own: the clients that abuse the server would delay it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field

_EVERY_SECONDS = 0.1
_PING_SECONDS = 15.0
_INVOCATION_SECONDS = 120.0
_RECORD = b"5.1,3.5,1.4,0.2\n"


@dataclass
class Health:
    """What /ping said, and the invocations after it.

    Attributes:
        pings: Seconds of each /ping.
        refused: How many were no 200, by status; "0" without a response.
        lies: What the invocations got that followed a 200 and are no 200.
        truths: How many invocations got 200.
    """

    pings: list[float] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    lies: list[str] = field(default_factory=list)
    truths: int = 0


class Probe:
    """Asks until it is closed."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, "-m", "container_soak.probe", str(port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> Health:
        """End; give what was found."""
        found, _ = self._process.communicate()
        return Health(**json.loads(found))


def ask(port: int, method: str, path: str, body: bytes | None, seconds: float) -> int:
    """Send a request on a new connection; give the status, 0 without one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    with contextlib.closing(connection):
        try:
            connection.request(method, path, body, {"Content-Type": "text/csv"})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0


def _ping(port: int, health: Health, ended: threading.Event) -> None:
    while not ended.wait(_EVERY_SECONDS):
        began = time.monotonic()
        status = ask(port, "GET", "/ping", None, _PING_SECONDS)
        if status != 200:
            health.refused[str(status)] = health.refused.get(str(status), 0) + 1
        health.pings.append(time.monotonic() - began)


def _verify(port: int, health: Health, ended: threading.Event) -> None:
    while not ended.wait(_EVERY_SECONDS):
        if ask(port, "GET", "/ping", None, _PING_SECONDS) != 200:
            continue
        began = time.monotonic()
        status = ask(port, "POST", "/invocations", _RECORD, _INVOCATION_SECONDS)
        if status == 200:
            health.truths += 1
        else:
            health.lies.append(f"{status} after {time.monotonic() - began:.1f} s")


def main() -> None:
    """Ask until standard input ends, then print what was found."""
    health, ended = Health(), threading.Event()
    threads = [threading.Thread(target=one, args=(int(sys.argv[1]), health, ended)) for one in (_ping, _verify)]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join()
    print(json.dumps(asdict(health)))


if __name__ == "__main__":
    main()
