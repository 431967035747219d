"""The `docker` that a build finds on PATH: hands its command line to the local AWS and prints the answer.

Run as a script of its own by the Python that runs the local AWS; imports nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

PORT_VARIABLE = "LOCAL_AWS_DOCKER_PORT"
KEY_VARIABLE = "LOCAL_AWS_DOCKER_KEY"


def main() -> int:
    """Returns the exit code that the local AWS gives."""
    arguments = sys.argv[1:]
    request = {
        "key": os.environ[KEY_VARIABLE],
        "arguments": arguments,
        "directory": str(Path.cwd()),
        "input": sys.stdin.read() if "--password-stdin" in arguments else "",
    }
    address = ("127.0.0.1", int(os.environ[PORT_VARIABLE]))
    with socket.create_connection(address) as connection, connection.makefile("rw") as stream:
        stream.write(json.dumps(request) + "\n")
        stream.flush()
        for line in stream:
            answer = json.loads(line)
            if "exit" in answer:
                return int(answer["exit"])
            print(answer["text"], file=sys.stderr if answer["error"] else sys.stdout, flush=True)
    print("the local AWS has gone away", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
