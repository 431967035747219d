"""The same ASGI server with a constant response: the cost that remains without decoding and predicting."""

import os
import signal
import socket
import sys

import uvicorn

HEADERS = [(b"content-length", b"7"), (b"content-type", b"text/csv")]


async def app(scope, receive, send):
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"setosa\n"})


def serve(port):
    with socket.socket() as listener:
        # One listener per worker, as in the container: the kernel distributes the connections.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(("127.0.0.1", port))
        quiet = {"lifespan": "off", "ws": "none", "access_log": False, "log_level": "warning", "proxy_headers": False}
        config = uvicorn.Config(app, **quiet, server_header=False, date_header=False)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    port, workers = map(int, sys.argv[1:])
    for _ in range(workers - 1):
        if os.fork() == 0:
            break
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    serve(port)
