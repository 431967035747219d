"""The repositories for git: `git clone`, `git fetch` and `git push` over HTTP."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from mlops_constructs.local_aws.codecommit.bare import ENVIRONMENT, BareRepository

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from mlops_constructs.local_aws.codecommit.service import CodeCommitService

PREFIX = "/v1/repos/"
"""As in the URLs of CodeCommit. No bucket has a name of two characters."""
_PUSH = "git-receive-pack"
_PASSED = ("CONTENT_TYPE", "CONTENT_LENGTH", "QUERY_STRING", "REQUEST_METHOD", "REMOTE_ADDR")


class GitRemote:
    """A WSGI application: git's own `git http-backend` serves the repositories. It asks for no credentials."""

    def __init__(self, codecommit: CodeCommitService) -> None:
        self._codecommit = codecommit

    def url(self, repository: str) -> str:
        """What to clone."""
        return f"{self._codecommit.account.url}{PREFIX}{repository}"

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._respond(environ)(environ, start_response)

    def _respond(self, environ: WSGIEnvironment) -> Response:
        name, _, rest = environ["PATH_INFO"].removeprefix(PREFIX).partition("/")
        if not self._codecommit.exists(name):
            return Response(f"There is no repository {name}.\n", 404)
        if shutil.which("git") is None:
            return Response("To clone a repository of the local AWS, install git where the local AWS runs.\n", 501)
        # Pushes come one at a time, and none while a commit is made through the API.
        with self._codecommit.lock:
            repository = self._repository(name)
            if rest != _PUSH:
                return self._run(environ, repository, rest)
            before = repository.branches()
            response = self._run(environ, repository, rest)
            self._codecommit.take_branches(name, before, repository.branches())
            return response

    def _repository(self, name: str) -> BareRepository:
        history = self._codecommit.history(name)
        if not isinstance(history.pushed, BareRepository):
            folder = self._codecommit.account.workdir / "codecommit" / name
            shutil.rmtree(folder, ignore_errors=True)
            history.pushed = BareRepository(folder, os.environ.get("PATH", os.defpath))
        history.pushed.write(history)
        return history.pushed

    def _run(self, environ: WSGIEnvironment, repository: BareRepository, rest: str) -> Response:
        """Run git's CGI program for a request."""
        account, headers = self._codecommit.account, {"HTTP_CONTENT_ENCODING", "HTTP_GIT_PROTOCOL"}
        variables = {
            **{name: str(environ[name]) for name in (*_PASSED, *headers) if name in environ},
            **ENVIRONMENT,
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(repository.folder.parent),
            "GIT_PROJECT_ROOT": str(repository.folder.parent),
            "GIT_PROTOCOL": environ.get("HTTP_GIT_PROTOCOL", ""),
            "PATH_INFO": f"/{repository.folder.name}/{rest}",
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "local-aws",  # without a user, git refuses a push
        }
        process = account.processes.start(
            ["git", "http-backend"],
            cwd=repository.folder,
            env=variables,
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        output, _ = process.communicate(environ["wsgi.input"].read())
        head, _, body = output.partition(b"\r\n\r\n")
        found = [line.partition(": ") for line in head.decode("latin-1").split("\r\n")]
        status = next((value for name, _, value in found if name == "Status"), "200 OK")
        return Response(body, status, [(name, value) for name, _, value in found if name not in ("Status", "")])
