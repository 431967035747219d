"""The entry point of the local AWS: requests go to this package's services first, all others to moto."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import logging
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.core.request import Request
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer

from mlops_constructs.local_aws import protocol
from mlops_constructs.local_aws.access.access import DeniedError
from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.errors import LocalAwsError
from mlops_constructs.local_aws.hooks import ApiCall, ConnectionCutError
from mlops_constructs.local_aws.moto_app import NotInMotoError
from mlops_constructs.local_aws.moto_operations import is_motos
from mlops_constructs.local_aws.service import AwsError, Params, PassToMotoError, Service, caller_key
from mlops_constructs.local_aws.traffic import Traffic

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from werkzeug.wrappers import Response

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.iam.request import Principal
    from mlops_constructs.local_aws.protocol import Call

HOST = "127.0.0.1"

Handler = Callable[[Params], Params]
Observer = Callable[[Params, dict[str, str]], None]
Check = Callable[[str, Params], None]
"""Raises `AwsError` for a request that AWS rejects; takes the operation's name, such as `sagemaker:CreateModel`."""
logger = logging.getLogger(__name__)

# A caller that may not list a bucket gets 403 instead of 404 for an object that does not exist.
_READS = {("s3", "GetObject"), ("s3", "HeadObject"), ("s3", "GetObjectTagging")}


class Gateway:
    """A WSGI application and its HTTP server."""

    def __init__(self, account: Account, check: Check) -> None:
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._observers: dict[tuple[str, str], list[Observer]] = defaultdict(list)
        self._mounts: dict[str, WSGIApplication] = {}
        self._account = account
        self._moto = account.moto_app
        self._access = account.access
        self._check = check
        self._server: BaseWSGIServer | None = None
        self.traffic = Traffic(self)

    def add(self, service: Service) -> None:
        """Register a service's operations, which replace moto's, and its `after_<operation>` observers."""
        for operation in protocol.operation_names(service.service_name):
            handler = getattr(service, operation, None)
            observer = getattr(service, f"after_{operation}", None)
            key = (service.service_name, operation)
            if handler is not None:
                if key in self._handlers:
                    raise ValueError(f"two services implement {service.service_name}:{operation}")
                self._handlers[key] = handler
            if observer is not None:
                self._observers[key].append(observer)

    def mount(self, prefix: str, application: WSGIApplication) -> None:
        """Let an application answer the requests whose path begins with a prefix."""
        self._mounts[prefix] = application

    def start(self, port: int) -> str:
        """Serve requests on a port (0: any free one) and return the URL."""
        listener = _bind(port)
        self._server = ThreadedWSGIServer(HOST, port, self.traffic, handler=_QuietHandler, fd=listener.fileno())
        listener.close()  # the server has a duplicate of the socket
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="local-aws", daemon=True).start()
        return f"http://{HOST}:{self._server.port}"

    def close(self) -> None:
        """Accept no more requests; requests in progress may still finish."""
        if self._server is not None:
            self._server.shutdown()
            self._server = None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        _hold_body(environ)
        for prefix, application in self._mounts.items():
            if environ["PATH_INFO"].startswith(prefix):
                return application(environ, start_response)
        request = Request(environ)
        request.get_data()  # caches the body: reading form fields would otherwise consume it
        try:
            response = self._respond(request)
        except ConnectionCutError:
            return _cut(environ, start_response)
        except Exception as error:
            logger.exception("%s %s", request.method, request.path)
            problem = AwsError("InternalFailure", f"{type(error).__name__}: {error}", 500)
            response = protocol.write_error(protocol.protocol_of(request), problem)
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        if protocol.is_form_upload(request):
            return protocol.write_error("rest-xml", _not_implemented("s3:PostObject"))
        call = None if request.path.startswith("/moto-api") else protocol.identify(request)
        if call is None:
            return self._moto_response(request, call)
        if not self._is_done(call):
            return self._refusal(request, call)
        role = self._access.session(protocol.access_key(request))
        try:
            params = protocol.read_params(call, request)
            made = ApiCall(call.service_name, call.operation, params, protocol.access_key(request))
            response: Response = self._account.hooks.around(made, lambda: self._answered(call, request, params, role))
            return response
        except AwsError as error:
            return protocol.write_error(call.protocol, error)

    def _is_done(self, call: Call) -> bool:
        return (call.service_name, call.method_name) in self._handlers or is_motos(call.service_name, call.operation)

    def _answered(self, call: Call, request: Request, params: Params, role: Principal | None) -> Response:
        """Handle a call; one that the policies of its role do not allow gets the error that AWS returns."""
        try:
            if role is None:
                self._access.check_keys(call.service_name, call.operation, params)
                return self._done(call, request, params)
            self._access.check_call(role, call.service_name, call.operation, params)
            response = self._done(call, request, params)
            if response.status_code == 404 and (call.service_name, call.operation) in _READS:
                self._access.check_missing(role, call.operation, params)
        except DeniedError as error:
            code, status = error.code_of(call.service_name)
            return protocol.write_error(call.protocol, AwsError(code, str(error), status))
        return response

    def _done(self, call: Call, request: Request, params: Params) -> Response:
        self._check(f"{call.service_name}:{call.operation}", params)
        key = (call.service_name, call.method_name)
        handler, observers = self._handlers.get(key), self._observers.get(key, [])
        if handler is not None:
            caller = caller_key.set(protocol.access_key(request))
            try:
                return self._own_response(call, handler, request)
            except PassToMotoError:
                pass
            finally:
                caller_key.reset(caller)
        response = self._moto_response(request, call)
        if response.status_code < 300:
            for observer in observers:
                _observe(observer, call, request, response)
        return response

    def _own_response(self, call: Call, handler: Handler, request: Request) -> Response:
        try:
            return protocol.write_answer(call, handler(protocol.read_params(call, request)))
        except AwsError as error:
            return protocol.write_error(call.protocol, error)
        except ClientError as error:  # an AWS call made on the caller's behalf failed
            return protocol.write_error(call.protocol, AwsError.of(error))

    def _moto_response(self, request: Request, call: Call | None) -> Response:
        environ = request.environ.copy()
        environ["wsgi.input"] = io.BytesIO(request.get_data())
        try:
            return self._moto.run(environ)
        except NotInMotoError:
            return self._refusal(request, call)

    def _refusal(self, request: Request, call: Call | None) -> Response:
        error = _not_implemented(protocol.name_of(request, call))
        spoken = call.protocol if call is not None else protocol.protocol_of(request)
        return protocol.write_error(spoken, error)


def _cut(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Close the connection; the server finds it closed when it writes the response."""
    connection: socket.socket | None = environ.get("werkzeug.socket")
    if connection is not None:
        with contextlib.suppress(OSError):  # a caller that was killed has closed it
            connection.shutdown(socket.SHUT_RDWR)
    start_response("500 INTERNAL SERVER ERROR", [])
    return [b""]


def _not_implemented(name: str) -> AwsError:
    return AwsError("NotImplementedException", f"the local AWS does not implement {name}", 501)


class _QuietHandler(MotoRequestHandler):
    # headers and body are sent in separate packets: with Nagle's algorithm each response is delayed by 40 ms
    disable_nagle_algorithm = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The header Date, in the time of the account."""
        return super().date_time_string(utc_now().timestamp() if timestamp is None else timestamp)

    def log(self, type: str, message: str, *args: Any) -> None:
        logger.debug(message, *args)


def _observe(observer: Observer, call: Call, request: Request, response: Response) -> None:
    try:
        observer(protocol.read_params(call, request), dict(response.headers))
    except Exception:  # the caller's operation has succeeded: an observer must not make it fail
        logger.exception("after %s:%s", call.service_name, call.operation)


def _bind(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(BaseWSGIServer.request_queue_size)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            reason = "another program uses this port: stop it, or choose another port (0: any free one)"
        else:
            reason = str(error.strerror)
        raise LocalAwsError(f"cannot serve the local AWS on {HOST}:{port}: {reason}") from error
    return listener


def _hold_body(environ: WSGIEnvironment) -> None:
    """Read the body into memory, so that moto can read it again."""
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        body = stream.read()
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    else:
        body = stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    # The SDKs compress PutMetricData; in S3, the encoding is that of the object.
    if environ.get("HTTP_CONTENT_ENCODING") == "gzip" and "/monitoring/" in environ.get("HTTP_AUTHORIZATION", ""):
        body = gzip.decompress(body)
        environ.pop("HTTP_CONTENT_ENCODING")
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
