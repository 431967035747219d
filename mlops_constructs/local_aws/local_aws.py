"""A small AWS on this machine: moto's services in this process, and this package's own services in front of them."""

from __future__ import annotations

import atexit
import logging
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.account import Account, Listener
from mlops_constructs.local_aws.application_autoscaling import AutoScalingService
from mlops_constructs.local_aws.budgets import BudgetsService
from mlops_constructs.local_aws.cloudformation.service import CloudFormationService
from mlops_constructs.local_aws.cloudwatch.service import CloudWatchService
from mlops_constructs.local_aws.codebuild.builds import Builds
from mlops_constructs.local_aws.codebuild.projects import Projects
from mlops_constructs.local_aws.codecommit.remote import PREFIX, GitRemote
from mlops_constructs.local_aws.codecommit.service import CodeCommitService
from mlops_constructs.local_aws.codepipeline.service import CodePipeline
from mlops_constructs.local_aws.connections.service import ConnectionsService
from mlops_constructs.local_aws.constraints.table import check_call
from mlops_constructs.local_aws.containers.host import ContainerHost
from mlops_constructs.local_aws.ecr.service import RegistriesService
from mlops_constructs.local_aws.errors import LocalAwsError
from mlops_constructs.local_aws.events.rule_schedules import RuleSchedules
from mlops_constructs.local_aws.events.service import EventsService
from mlops_constructs.local_aws.expiry import Expiry
from mlops_constructs.local_aws.gateway import Gateway
from mlops_constructs.local_aws.lambda_.configurations import FunctionConfigurations
from mlops_constructs.local_aws.lambda_.service import LambdaService
from mlops_constructs.local_aws.log_groups import LogGroupsService
from mlops_constructs.local_aws.policy_simulator import PolicySimulator
from mlops_constructs.local_aws.resource_tags import ResourceTagsService
from mlops_constructs.local_aws.s3 import S3Service
from mlops_constructs.local_aws.sagemaker.service import SageMaker
from mlops_constructs.local_aws.service_quotas import ServiceQuotasService
from mlops_constructs.local_aws.snapshot.anchors import anchors
from mlops_constructs.local_aws.snapshot.pickling import dump, load
from mlops_constructs.local_aws.ssm import ParametersService

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from mlops_constructs.local_aws.clock import Clock
    from mlops_constructs.local_aws.scratch import ScratchFolder
    from mlops_constructs.local_aws.service import Service

logger = logging.getLogger(__name__)

_running = threading.Lock()


class LocalAws:
    """The local AWS, from `start()` (or `with`) to `close()`.

    moto's state is global in the process. Therefore only one local AWS runs at a time, and `start()` clears that state.

    Attributes:
        account: The account that all services share.
        containers: Builds and runs container images.
        traffic: Counts the requests.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        region: str = "us-east-1",
        docker: bool = True,
        iam: bool = True,
        event_delay_seconds: float = 0,
        folder: ScratchFolder | None = None,
    ) -> None:
        """Prepare a local AWS.

        Args:
            port: Loopback port; 0 selects a free one.
            region: The only region of this local AWS.
            docker: Run containers in a Docker engine if one responds.
            iam: Check every call that a role makes against the policies, as AWS does.
            event_delay_seconds: How long a bucket sends no events after EventBridge was enabled for it; about 300 on
                AWS. `clock.advance(minutes=5)` moves the clock forward.
            folder: Contains everything that it writes; a new one by default. `close` removes it.
        """
        self.port = port
        self._folder = folder
        self.account = Account(region=region, iam=iam)
        self.containers = ContainerHost(self.account, docker=docker)
        self.s3 = S3Service(self.account, event_delay_seconds)
        self.cloudwatch = CloudWatchService(self.account)
        self.events = EventsService(self.account, self.cloudwatch.metrics)
        self.lambda_ = LambdaService(self.account, self.cloudwatch.metrics)
        self.codecommit = CodeCommitService(self.account)
        self.git = GitRemote(self.codecommit)
        self.connections = ConnectionsService(self.account)
        self.ssm = ParametersService(self.account)
        self.ecr = RegistriesService(self.account)
        self.service_quotas = ServiceQuotasService(self.account)
        self.sagemaker = SageMaker(self.account, self.containers, self.service_quotas, self.cloudwatch.metrics)
        self.cloudformation = CloudFormationService(self.account)
        self.codebuild = Builds(self.account, self.containers)
        self.codepipeline = CodePipeline(self.account, self.lambda_, self.codecommit, self.connections)
        self._gateway = Gateway(self.account, partial(check_call, self.account))
        self.traffic = self._gateway.traffic
        self._services = self._all_services()
        self._anchors = anchors(self)

    def _all_services(self) -> tuple[Service, ...]:
        """Return the services in the order in which they start; they close in reverse order."""
        return (
            self.s3,
            Expiry(self.account),
            self.events,
            RuleSchedules(self.account, self.events),
            self.lambda_,
            FunctionConfigurations(self.account),
            self.codecommit,
            self.connections,
            self.ssm,
            self.ecr,
            *self.sagemaker.services,
            self.cloudformation,
            Projects(self.account),
            self.codebuild,
            *self.codepipeline.services,
            PolicySimulator(self.account),
            self.service_quotas,
            self.cloudwatch,
            self.cloudwatch.alarms,
            *(one(self.account) for one in (AutoScalingService, ResourceTagsService, BudgetsService, LogGroupsService)),
        )

    @property
    def url(self) -> str:
        """The URL of this local AWS; empty before `start()`."""
        return self.account.url

    @property
    def region(self) -> str:
        """Its region."""
        return self.account.region

    @property
    def account_id(self) -> str:
        """The id of its account, 12 digits."""
        return self.account.account_id

    @property
    def workdir(self) -> Path:
        """The folder that contains everything that it writes."""
        return self.account.workdir

    @property
    def clock(self) -> Clock:
        """Its clock; `clock.advance(days=7)` moves it forward, and what is due in between happens."""
        return self.account.clock

    def client(self, service_name: str, credentials: Mapping[str, Any] | None = None) -> Any:
        """A boto3 client of this AWS; see `Account.client`."""
        return self.account.client(service_name, credentials)

    def log(self, message: str) -> None:
        """Pass one log line to the listeners."""
        self.account.log(message)

    def add_listener(self, listener: Listener) -> None:
        """Call `listener` with each line of `log`, in the thread that logs the line."""
        self.account.add_listener(listener)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is in progress, except executions that wait."""
        busy = [name for name in self.account.working()[0] if not name.startswith(("action-", "pipeline-"))]
        waits = self.codepipeline.executor.only_waits()
        return waits and not busy and self.events.waiting == 0 and self.traffic.active == 0

    def snapshot(self) -> bytes:
        """Return what all services hold, for `start` in another process; take it while `is_quiet`."""
        return dump(self._anchors)

    def start(self, snapshot: bytes | None = None) -> LocalAws:
        """Start to serve requests on `url`.

        Args:
            snapshot: What the services hold at the beginning; they serve and wait as they did then.

        Raises:
            LocalAwsError: when one is already running in this process, or when `port` is already in use.
        """
        if not _running.acquire(blocking=False):
            raise LocalAwsError("a local AWS is already running in this process: close it first")
        try:
            self.account.clock.start()
            self.account.moto_app.reset()
            if snapshot is not None:
                load(self._anchors, snapshot)
            self._open()
            for service in self._services if snapshot is not None else ():
                service.resume()
        except BaseException:
            self._gateway.close()
            self.account.close()
            self.account.clock.stop()
            _running.release()
            raise
        atexit.register(self.close)
        return self

    def close(self) -> None:
        """End every thread and child process, and remove `workdir`. Safe to call twice."""
        if self.account.closing.is_set() or not self.url:
            return
        self.account.closing.set()
        atexit.unregister(self.close)
        try:
            for service in reversed(self._services):
                try:
                    service.close()
                except Exception:  # one that cannot be closed must not keep the others, and their processes, alive
                    logger.exception("closing %s", type(service).__name__)
            self.account.processes.close()  # before the gateway closes: otherwise they would report failed requests
            self._gateway.close()
            self.account.close()
        finally:
            self.account.clock.stop()
            _running.release()

    def _open(self) -> None:
        url = self._gateway.start(self.port)
        self.port = int(url.rsplit(":", 1)[1])
        self.account.open(url, self._folder)
        self._gateway.mount(PREFIX, self.git)
        for service in self._services:
            self._gateway.add(service)
            service.start()

    def __enter__(self) -> LocalAws:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
