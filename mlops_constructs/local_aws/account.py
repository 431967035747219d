"""The account that every service of the local AWS works in."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlops_constructs.local_aws.access.access import Access
from mlops_constructs.local_aws.clients import ClientFactory
from mlops_constructs.local_aws.clock import Clock
from mlops_constructs.local_aws.iam.calls import Site
from mlops_constructs.local_aws.moto_app import MotoApp
from mlops_constructs.local_aws.processes import ChildProcesses

ACCOUNT_ID = "123456789012"

Event = dict[str, Any]
"""An EventBridge event: source, detail-type, detail, resources."""
Listener = Callable[[str], None]
Subscriber = Callable[[Event], object]

logger = logging.getLogger(__name__)

_NO_FOLDER = Path("not-started")


class Account:
    """One account in one region: its identity, its clients, and what its services have running.

    Attributes:
        region: Such as ``us-east-1``.
        account_id: 12 digits.
        url: Where the account's services answer; empty until they do.
        workdir: Folder for everything that the services write; removed by ``close()``.
        processes: The child processes of all services.
        moto: moto's services.
        access: Judges the calls of the account's roles.
        clock: The time, as far as the services keep it.
        closing: Set as soon as the account closes; what is under way may fail from then on.
    """

    def __init__(self, *, region: str, iam: bool = True) -> None:
        """Prepare an account.

        Args:
            region: Its one region.
            iam: Whether the calls of its roles are held against their policies.
        """
        self.region = region
        self.account_id = ACCOUNT_ID
        self.url = ""
        self.workdir = _NO_FOLDER
        self.processes = ChildProcesses()
        self.moto_app = MotoApp()
        self.clock = Clock()
        self.closing = threading.Event()
        self._factory = ClientFactory(region)
        self._clients: dict[tuple[str, bool], Any] = {}
        self._listeners: list[Listener] = []
        self._subscribers: list[Subscriber] = []
        self._lock = threading.Lock()
        self.access = Access(Site(self.partition, region, self.account_id), self.log, enforced=iam)

    @property
    def partition(self) -> str:
        """The ARN partition of the region, such as `aws` or `aws-us-gov`."""
        return self._factory.partition

    @property
    def dns_suffix(self) -> str:
        """The domain of the region's endpoints, such as `amazonaws.com`."""
        return self._factory.dns_suffix

    def arn(self, service: str, resource: str, *, region: str | None = None, account_id: str | None = None) -> str:
        """The ARN of a resource here; a global one has an empty `region`, a bucket neither."""
        where = self.region if region is None else region
        whose = self.account_id if account_id is None else account_id
        return f"arn:{self.partition}:{service}:{where}:{whose}:{resource}"

    def open(self, url: str) -> None:
        """Begin: the services answer at `url` from now on."""
        self.url = url
        self.workdir = Path(tempfile.mkdtemp(prefix="local-aws-"))

    def close(self) -> None:
        """End every child process and remove `workdir`. Safe to call twice."""
        self.closing.set()
        self.processes.close()
        if self.workdir != _NO_FOLDER:
            shutil.rmtree(self.workdir, ignore_errors=True)

    def client(self, service_name: str, credentials: Mapping[str, Any] | None = None) -> Any:
        """A boto3 client of this AWS.

        `credentials` is the Credentials member of an AssumeRole answer; without it the caller is the
        account's administrator. Nothing is retried, and an answer may take 15 minutes.
        """
        if credentials is not None:
            return self._factory.make(service_name, self.url, credentials)
        return self._kept_client(service_name, of_moto=False)

    def moto(self, service_name: str) -> Any:
        """A client of moto's services, called in this process and without passing our own."""
        return self._kept_client(service_name, of_moto=True)

    def emit(self, event: Event) -> None:
        """Hand an event to whoever subscribed."""
        for subscriber in self._subscribers:
            subscriber(event)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` with each event, in whatever thread emits it."""
        self._subscribers.append(subscriber)

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

        What it raises is logged; while the account closes, everything under way may fail.
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

    def _kept_client(self, service_name: str, *, of_moto: bool) -> Any:
        with self._lock:
            client = self._clients.get((service_name, of_moto))
        if client is None:
            client = self._factory.make(service_name, self.url)
            if of_moto:
                self.moto_app.serve(client)
            with self._lock:
                client = self._clients.setdefault((service_name, of_moto), client)
        return client
