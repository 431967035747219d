"""The account that all services of the local AWS share."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlops_constructs.local_aws.access.access import Access
from mlops_constructs.local_aws.clients import ClientFactory
from mlops_constructs.local_aws.clock import Clock
from mlops_constructs.local_aws.hooks import Hooks
from mlops_constructs.local_aws.iam.calls import Site
from mlops_constructs.local_aws.moto_app import MotoApp
from mlops_constructs.local_aws.processes import ChildProcesses
from mlops_constructs.local_aws.scratch import ScratchFolder

ACCOUNT_ID = "123456789012"

Event = dict[str, Any]
"""An EventBridge event: source, detail-type, detail, resources."""
Listener = Callable[[str], None]
Subscriber = Callable[[Event], object]

logger = logging.getLogger(__name__)

_NO_FOLDER = Path("not-started")
_END_SECONDS = 5.0


class Account:
    """One account in one region: its identity, its clients, and the processes and threads of its services.

    Attributes:
        region: Such as ``us-east-1``.
        account_id: 12 digits.
        url: The URL of the account's services; empty before they start.
        workdir: The folder that contains everything that the services write; ``close()`` removes it.
        processes: The child processes of all services.
        moto_app: moto's services.
        access: Checks the calls of the account's roles against their policies.
        clock: The clock that the services use for delays; a test can advance it.
        hooks: Where faults step in.
        closing: Set as soon as the account closes; operations in progress may fail from then on.
    """

    def __init__(self, *, region: str, iam: bool = True) -> None:
        """Prepare an account.

        Args:
            region: Its only region.
            iam: Whether the calls of its roles are checked against their policies.
        """
        self.region = region
        self.account_id = ACCOUNT_ID
        self.url = ""
        self.workdir = _NO_FOLDER
        self.processes = ChildProcesses()
        self.moto_app = MotoApp()
        self.clock = Clock()
        self.hooks = Hooks()
        self.closing = threading.Event()
        self._folder: ScratchFolder | None = None
        self._factory = ClientFactory(region)
        self._clients: dict[tuple[str, bool], Any] = {}
        self._listeners: list[Listener] = []
        self._subscribers: list[Subscriber] = []
        self._lock = threading.Lock()
        self._working: dict[threading.Thread, str] = {}
        self._spawned = 0
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
        """The ARN of a resource of this account; global resources have no `region`, buckets no `account_id` either."""
        where = self.region if region is None else region
        whose = self.account_id if account_id is None else account_id
        return f"arn:{self.partition}:{service}:{where}:{whose}:{resource}"

    def open(self, url: str, folder: ScratchFolder | None = None) -> None:
        """Open the account; its services serve requests at `url` from now on, and write to a folder."""
        self.url = url
        self._folder = ScratchFolder("local-aws-") if folder is None else folder
        self.workdir = self._folder.path

    def close(self) -> None:
        """End every child process and remove `workdir`. Safe to call twice."""
        self.closing.set()
        self.processes.close()
        if self._folder is not None:
            self._wait_for_work()
            self._folder.remove()

    def _wait_for_work(self) -> None:
        """Let what is in progress fail, for a moment: it may still write to `workdir`, and would create it again."""
        deadline = time.monotonic() + _END_SECONDS
        with self._lock:
            threads = [one for one in self._working if one is not threading.current_thread() and one.is_alive()]
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def client(self, service_name: str, credentials: Mapping[str, Any] | None = None) -> Any:
        """A boto3 client of this AWS.

        `credentials` is the Credentials member of an AssumeRole response; without it the caller is the
        account's administrator. The client does not retry, and waits up to 15 minutes for a response.
        """
        if credentials is not None:
            return self._factory.make(service_name, self.url, credentials)
        return self._kept_client(service_name, of_moto=False)

    def moto(self, service_name: str) -> Any:
        """A client that calls moto's services directly in this process, past the gateway and our own services."""
        return self._kept_client(service_name, of_moto=True)

    def emit(self, event: Event) -> None:
        """Pass an event to all subscribers."""
        for subscriber in self._subscribers:
            subscriber(event)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` with each event, in the thread that emits it."""
        self._subscribers.append(subscriber)

    def log(self, message: str) -> None:
        """Pass one log line to the listeners."""
        logger.info(message)
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(message)

    def add_listener(self, listener: Listener) -> None:
        """Call `listener` with each line of `log`, in the thread that logs the line."""
        with self._lock:
            self._listeners.append(listener)

    def spawn(self, name: str, work: Callable[[], None], *, always: bool = False) -> threading.Thread:
        """Run `work` in a thread that does not keep the process alive.

        An exception in `work` is logged, except while the account closes: operations in progress may fail then.
        With `always`, it runs as long as the account, and is nothing that has to end: see `working`.
        """

        def run() -> None:
            try:
                work()
            except Exception:
                if not self.closing.is_set():
                    logger.exception("in the thread %s", name)
            finally:
                with self._lock:
                    self._working.pop(thread, None)

        thread = threading.Thread(target=run, name=name, daemon=True)
        with self._lock:
            self._spawned += 1
            if not always:
                self._working[thread] = name
        thread.start()
        return thread

    def working(self) -> tuple[list[str], int]:
        """Return the names of the threads whose work has not ended, and how many `spawn` has ever started."""
        with self._lock:
            return list(self._working.values()), self._spawned

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
