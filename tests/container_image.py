"""The Dockerfile of a test's container: its programs are on PATH, in the folder where they run."""

DOCKERFILE = """\
FROM python:3.12-slim
COPY . /opt/program
ENV PATH=/opt/program:$PATH
WORKDIR /opt/program
"""
