"""moto's services, called in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.backends import list_of_moto_modules
from moto.core.botocore_stubber import MockRawResponse
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Response

from mlops_constructs.local_aws.moto_clock import set_clock_of_moto

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIEnvironment
    from botocore.awsrequest import AWSPreparedRequest


_NO_ROUTE = b"<title>404 Not Found</title>"


class NotInMotoError(Exception):
    """moto knows neither the service nor the operation that a request asks for."""


class _Dispatcher(DomainDispatcherApplication):
    """Looks a host up once: moto lists its folder and tries 200 patterns at each request, and prints what it misses."""

    def __init__(self, create_app: Callable[[Any], Any]) -> None:
        super().__init__(create_app)
        self._found: dict[str, str | None] = {}
        self._modules = frozenset(list_of_moto_modules())

    def get_backend_for_host(self, host: str | None) -> str | None:
        if host is None or host in self._modules or host == "moto_api":
            return host
        if host not in self._found:
            url = f"http://{host}"
            patterns = self.backend_url_patterns
            self._found[host] = next((backend for backend, pattern in patterns if pattern.match(url)), None)
        return self._found[host]


class MotoApp:
    """One WSGI application for all of moto's services. Their state belongs to the process."""

    def __init__(self) -> None:
        self._app = _Dispatcher(_backend_app)
        set_clock_of_moto()

    def reset(self) -> None:
        """Forget everything that moto holds."""
        moto_api_backend.reset()

    def run(self, environ: WSGIEnvironment) -> Response:
        """Answer a request. Raises `NotInMotoError` when moto cannot."""
        try:
            body, status, headers = run_wsgi_app(self._app, environ, buffered=True)
        except NotImplementedError as error:
            raise NotInMotoError(str(error)) from error
        response = Response(body, status=status, headers=headers)
        if response.status_code == 404 and _NO_ROUTE in response.get_data():  # S3's own 404 is HTML as well
            raise NotInMotoError(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        return response

    def serve(self, client: Any) -> None:
        """Let a botocore client's requests come here, without a connection."""
        client.meta.events.register("before-send", self._send)

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        response = self.run(_environ(request))
        headers = HTTPHeaders.from_pairs(list(response.headers.items()))
        raw = MockRawResponse(response.get_data())
        return AWSResponse(request.url, response.status_code, headers, raw)


def _environ(request: AWSPreparedRequest) -> WSGIEnvironment:
    parts = urlsplit(request.url)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    body: Any = request.body
    content = body.read() if hasattr(body, "read") else body
    builder = EnvironBuilder(
        path,
        base_url=f"{parts.scheme}://{parts.netloc}",
        method=request.method,
        headers=[(name, _text(value)) for name, value in request.headers.items()],
        data=content.encode() if isinstance(content, str) else bytes(content or b""),
    )
    environ = builder.get_environ()
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {
        environ_key_for_header(name): name for name in request.headers if should_preserve_original_header_name(name)
    }
    return environ


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _backend_app(backend: Any) -> Any:
    if backend is None:
        raise NotImplementedError("a service that moto does not know")
    app = create_backend_app(backend)
    set_clock_of_moto()  # this has loaded more of moto
    return app
