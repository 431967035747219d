"""The serving program.

program.py       reads the settings and runs the supervisor
supervisor.py    starts a worker for each processor, and replaces workers that die
worker.py        one process: loads the model, then serves requests until SIGTERM
draining.py      the ASGI server, which shuts down without losing a request
application.py   the HTTP routes, an ASGI application
batching.py      predicts requests that are waiting at the same time as one batch
models.py        one loaded model: request body in, response out
"""
