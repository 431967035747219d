"""The `docker` program on a build's PATH: sends its command line to the local AWS and prints the response.

It runs as a separate script, in the Python that runs the local AWS. It imports only the standard library.
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
    """Send the command to the local AWS and return the exit code that it sends back."""
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
    print("the local AWS closed the connection", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
