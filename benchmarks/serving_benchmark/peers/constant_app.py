"""The same ASGI server with a constant answer: what is left when nothing is predicted."""

HEADERS = [(b"content-length", b"7"), (b"content-type", b"text/csv")]


async def app(scope, receive, send):
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"setosa\n"})
