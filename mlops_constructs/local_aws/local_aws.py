"""A small AWS on this machine: moto's services in this process, with our own in front."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config
from moto.moto_api._internal.models import moto_api_backend

from mlops_constructs.errors import RehearsalError
from mlops_constructs.local_aws.gateway import DIRECT_HEADER, Gateway
from mlops_constructs.local_aws.processes import ChildProcesses

if TYPE_CHECKING:
    from types import TracebackType

    from mlops_constructs.local_aws.service import Service

ACCOUNT_ID = "123456789012"
ACCESS_KEY_ID = "AKIAREHEARSAL0000000"
SECRET_ACCESS_KEY = "rehearsal"

Listener = Callable[[str], None]
logger = logging.getLogger(__name__)

_running = threading.Lock()
_NO_FOLDER = Path("not-started")


class LocalAws:
    """The local AWS, from `start()` (or `with`) to `close()`.

    moto's state belongs to the process, so only one runs at a time; starting wipes that state.
    Raises `RehearsalError` on `start()` when one runs already or when `port` is taken.
    """

    def __init__(self, *, port: int = 0, region: str = "us-east-1") -> None:
        self.port = port
        self.region = region
        self.account_id = ACCOUNT_ID
        self.url = ""
        self.workdir = _NO_FOLDER
        self.services: dict[str, Service] = {}
        self.processes = ChildProcesses()
        self.closing = threading.Event()
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, bool], Any] = {}
        self._gateway = Gateway()
        self._session = _isolated_session()

    @property
    def partition(self) -> str:
        """The ARN partition of the region."""
        return str(self._session.get_partition_for_region(self.region))

    def start(self) -> LocalAws:
        """Begin to answer on `url`."""
        if not _running.acquire(blocking=False):
            raise RehearsalError("a local AWS is running in this process already: close it first")
        try:
            moto_api_backend.reset()
            self.url = self._gateway.start(self.port)
            self.port = int(self.url.rsplit(":", 1)[1])
            self.workdir = Path(tempfile.mkdtemp(prefix="mlops-rehearsal-"))
            self._start_services()
        except BaseException:
            self.closing.set()
            self.url = ""
            self._gateway.close()
            self._remove_workdir()
            _running.release()
            raise
        atexit.register(self.close)
        return self

    def _start_services(self) -> None:
        from mlops_constructs.local_aws.services import GAPS, SERVICES

        for service_class in SERVICES:
            service = service_class(self)
            self.services[service.service_name] = service
            self._gateway.add(service)
        for gap_class in GAPS:
            self._gateway.add(gap_class(self))

    def close(self) -> None:
        """End every thread and child process, and remove `workdir`. Safe to call twice."""
        if self.closing.is_set() or not self.url:
            return
        self.closing.set()
        atexit.unregister(self.close)
        try:
            for service in reversed(self.services.values()):
                try:
                    service.close()
                except Exception:
                    logger.exception("closing %s", service.service_name)
            self.processes.close()
            self._gateway.close()
            self._remove_workdir()
        finally:
            _running.release()

    def _remove_workdir(self) -> None:
        if self.workdir != _NO_FOLDER:
            shutil.rmtree(self.workdir, ignore_errors=True)

    def __enter__(self) -> LocalAws:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def client(self, service_name: str, credentials: Mapping[str, Any] | None = None) -> Any:
        """A boto3 client of this AWS.

        `credentials` is the Credentials member of an AssumeRole answer; without it the caller is the
        account's administrator. Nothing is retried, and an answer may take 15 minutes.
        """
        if credentials is not None:
            return self._make_client(service_name, credentials)
        return self._kept_client(service_name, direct=False)

    def moto(self, service_name: str) -> Any:
        """A client whose requests reach moto without passing our own services."""
        return self._kept_client(service_name, direct=True)

    def role_credentials(self, role_arn: str, session_name: str) -> dict[str, Any]:
        """Temporary credentials of a role (AccessKeyId, SecretAccessKey, SessionToken)."""
        self.client("iam").get_role(RoleName=role_arn.rsplit("/", 1)[1])
        answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session_name[:64].ljust(2, "-"))
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials

    def emit(self, event: dict[str, Any]) -> None:
        """Deliver an EventBridge event (source, detail-type, detail, resources) to the default bus."""
        self.services["events"].emit(event)  # type: ignore[attr-defined]

    def log(self, message: str) -> None:
        """Tell the listeners one line of what happens."""
        logger.info(message)
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(message)

    def add_listener(self, listener: Listener) -> None:
        """Call `listener` with each line of `log`, in whatever thread says it."""
        with self._lock:
            self._listeners.append(listener)

    def spawn(self, name: str, work: Callable[[], None]) -> threading.Thread:
        """Run `work` in a thread that does not keep the process alive.

        What it raises is logged; while the local AWS closes, everything under way may fail.
        """

        def run() -> None:
            try:
                work()
            except Exception:
                if not self.closing.is_set():
                    logger.exception("in the thread %s", name)

        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    def _kept_client(self, service_name: str, *, direct: bool) -> Any:
        with self._lock:
            client = self._clients.get((service_name, direct))
        if client is None:
            client = self._make_client(service_name, None)
            if direct:
                client.meta.events.register("before-sign", _mark_direct)
            with self._lock:
                client = self._clients.setdefault((service_name, direct), client)
        return client

    def _make_client(self, service_name: str, credentials: Mapping[str, Any] | None) -> Any:
        given = credentials if credentials is not None else {}
        with _session_lock:  # a botocore session is not safe to share while it makes clients
            return self._session.create_client(
                service_name,
                region_name=self.region,
                endpoint_url=self.url,
                aws_access_key_id=given.get("AccessKeyId", ACCESS_KEY_ID),
                aws_secret_access_key=given.get("SecretAccessKey", SECRET_ACCESS_KEY),
                aws_session_token=given.get("SessionToken"),
                config=_CLIENT_CONFIG,
            )


_session_lock = threading.Lock()
_CLIENT_CONFIG = Config(
    retries={"total_max_attempts": 1},
    connect_timeout=10,
    read_timeout=900,
    max_pool_connections=50,
    proxies={},  # a proxy of the user's environment must not see loopback requests
    s3={"addressing_style": "path"},
)


def _isolated_session() -> Any:
    """A session blind to the user's profiles and configuration files."""
    nothing = os.devnull
    return botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, nothing, None),
            "credentials_file": (None, None, nothing, None),
            "ignore_configured_endpoint_urls": (None, None, True, None),
        }
    )


def _mark_direct(request: Any, **_: Any) -> None:
    request.headers[DIRECT_HEADER] = "1"
