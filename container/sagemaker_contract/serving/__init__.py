"""The serving program.

program.py       reads the settings, and becomes the supervisor
supervisor.py    starts a worker for each processor, and another when one dies
worker.py        one process: loads the model, then answers until SIGTERM
draining.py      the ASGI server, ended without losing a request
application.py   the HTTP face, an ASGI application
batching.py      requests that wait at the same time are predicted together
models.py        one loaded model: body in, answer out
"""
