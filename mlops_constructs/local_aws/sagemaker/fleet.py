"""The fleet of an endpoint: one serving process per variant, with its model."""

from __future__ import annotations

import shutil
import threading
import time
import uuid
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.containers.images import ContainerError
from mlops_constructs.local_aws.ecr.images import PulledImage, pull
from mlops_constructs.local_aws.hooks import Program
from mlops_constructs.local_aws.job_log import JobLog
from mlops_constructs.local_aws.sagemaker.job_files import JobError
from mlops_constructs.local_aws.sagemaker.model_container import fetch_model, model_of
from mlops_constructs.local_aws.sagemaker.on_demand import DRAIN_SECONDS, OnDemandContainer, is_healthy
from mlops_constructs.local_aws.sagemaker.role_use import check_role
from mlops_constructs.local_aws.sagemaker.serverless import Serverless
from mlops_constructs.local_aws.service import AwsError, Params

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.host import ContainerHost
    from mlops_constructs.local_aws.containers.images import Image
    from mlops_constructs.local_aws.containers.running import Container

_PING_PAUSE_SECONDS = 0.1
_LOG_TAIL_LINES = 8


class FleetError(Exception):
    """The fleet cannot serve; the text is the endpoint's FailureReason."""


@dataclass
class Variant:
    """A serving production variant: its process, and its weight.

    `desired_weight` and `desired_count` are what UpdateEndpointWeightsAndCapacities asked for, until it is done.
    """

    name: str
    settings: Params
    weight: float
    instance_count: int | None
    container: Container | OnDemandContainer
    serve: Callable[[], Container]
    image: PulledImage
    image_uri: str
    log: JobLog
    folder: Path
    credentials: Params
    desired_weight: float | None = None
    desired_count: int | None = None
    serverless: Serverless | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    stopped: bool = False

    @property
    def on_demand(self) -> OnDemandContainer:
        """The container of a variant that does not run all the time."""
        assert isinstance(self.container, OnDemandContainer)
        return self.container

    def summary(self) -> Params:
        """A ProductionVariantSummary."""
        deployed = {
            "SpecifiedImage": self.image_uri,
            "ResolvedImage": self.image.resolved_uri,
            "ResolutionTime": utc_now(),
        }
        answer: Params = {
            "VariantName": self.name,
            "DeployedImages": [deployed],
            "CurrentWeight": self.weight,
            "DesiredWeight": self.weight if self.desired_weight is None else self.desired_weight,
        }
        if self.instance_count is not None:
            answer["CurrentInstanceCount"] = self.instance_count
            answer["DesiredInstanceCount"] = self.instance_count if self.desired_count is None else self.desired_count
        if "ServerlessConfig" in self.settings:
            answer["CurrentServerlessConfig"] = self.settings["ServerlessConfig"]
        return answer

    def settle(self) -> None:
        """Take over the weight and the count that were asked for."""
        self.weight = self.weight if self.desired_weight is None else self.desired_weight
        self.instance_count = self.instance_count if self.desired_count is None else self.desired_count
        self.desired_weight = self.desired_count = None

    def revive(self) -> int | None:
        """Start a server again that has ended by itself, and return the exit code that it had; None when it runs.

        A container that does not respond to pings is replaced:
        https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
        """
        with self.lock:
            code = None if self.stopped or isinstance(self.container, OnDemandContainer) else self.container.exit_code()
            if code is not None:
                self.container = self.serve()
        return code

    def stop(self, grace_seconds: float = DRAIN_SECONDS) -> None:
        """End the process, and remove its files."""
        with self.lock:
            self.stopped = True
        if self.serverless is not None:
            self.serverless.end()
        self.container.stop(grace_seconds)
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Fleet:
    """The variants of one endpoint configuration.

    `held` are weight and instance count of each variant, while no process serves: after a snapshot was restored.
    """

    endpoint_name: str
    config: Params
    variants: list[Variant]
    held: dict[str, tuple[float, int | None]] = field(default_factory=dict)

    def __getstate__(self) -> Params:
        held = {variant.name: (variant.weight, variant.instance_count) for variant in self.variants}
        return {**vars(self), "variants": [], "held": held or self.held}

    @property
    def config_name(self) -> str:
        """EndpointConfigName."""
        return str(self.config["EndpointConfigName"])

    def stop(self, grace_seconds: float = DRAIN_SECONDS) -> None:
        """End the processes of all variants at the same time."""
        threads = [
            threading.Thread(target=variant.stop, args=(grace_seconds,), daemon=True) for variant in self.variants
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


class FleetStarter:
    """Starts fleets for one endpoint."""

    def __init__(
        self,
        account: Account,
        containers: ContainerHost,
        endpoint_name: str,
        health_seconds: float,
        cancelled: Callable[[], bool],
    ) -> None:
        self._account = account
        self._containers = containers
        self._endpoint_name = endpoint_name
        self._health_seconds = health_seconds
        self._cancelled = cancelled

    def start(self, config: Params) -> Fleet:
        """Start every variant and wait until each is healthy.

        Raises `FleetError`; then no process of the fleet is left running.
        """
        fleet = Fleet(self._endpoint_name, config, [])
        try:
            for settings in config["ProductionVariants"]:
                fleet.variants.append(variant := self._start_variant(settings, config))
                if isinstance(variant.container, OnDemandContainer) and "ServerlessConfig" in settings:
                    variant.serverless = Serverless(self._account, variant.container, settings["ServerlessConfig"])
            deadline = time.monotonic() + self._health_seconds
            for variant in fleet.variants:
                self._await_health(variant, deadline)
        except BaseException:
            fleet.stop(0)
            raise
        return fleet

    def _start_variant(self, settings: Params, config: Params) -> Variant:
        name, count = settings["VariantName"], settings.get("InitialInstanceCount")
        folder = self._account.workdir / "endpoints" / self._endpoint_name / uuid.uuid4().hex[:12]
        log: JobLog | None = None
        try:
            session = f"endpoint-{self._endpoint_name}"
            definition, credentials = model_of(self._account, settings["ModelName"], session, config.get("KmsKeyId"))
            group = f"/aws/sagemaker/Endpoints/{self._endpoint_name}"
            client = self._account.client("logs", credentials)
            log = JobLog(self._account, group, f"{name}/{folder.name}", client)
            check_role(self._account, "SageMaker model", definition["Image"], log, credentials)
            image = pull(self._account, self._containers.images, definition["Image"], credentials)
            base = folder / "opt" / "ml"
            takes = None if "ServerlessConfig" in settings else settings
            fetch_model(self._account, definition.get("ModelDataUrl"), base / "model", credentials, takes)
            environment = definition.get("Environment", {})
            serve = partial(self._serve, image.image, base, environment, log.write)
            on_demand = "ServerlessConfig" in settings or "AsyncInferenceConfig" in config
            container = OnDemandContainer(serve, self._health_seconds) if on_demand else serve()
        except (ClientError, ContainerError, JobError, AwsError, OSError) as error:
            if log is not None:
                log.close()
            shutil.rmtree(folder, ignore_errors=True)
            raise FleetError(f"The variant {name} cannot be started: {error}") from error
        if count is not None and count > 1:
            self._account.log(f"endpoint {self._endpoint_name}: one process replaces the {count} instances of {name}")
        weight = settings.get("InitialVariantWeight", 1.0)
        uri = definition["Image"]
        return Variant(name, settings, weight, count, container, serve, image, uri, log, folder, credentials)

    def _serve(self, image: Image, base: Path, environment: Params, log: Callable[[str], None]) -> Container:
        container = self._containers.runtime.serve(image, base, environment, log)
        self._account.hooks.started(Program("serving", self._endpoint_name, container))
        return container

    def _await_health(self, variant: Variant, deadline: float) -> None:
        while not is_healthy(variant.container):
            if self._cancelled():
                raise FleetError("The endpoint was deleted while it was being created")
            code = variant.container.exit_code()
            if code is not None:
                variant.container.wait(0)
                why = f"its program ended with exit code {code}"
            elif time.monotonic() > deadline:
                why = f"no response with status 200 to /ping within {self._health_seconds:g} seconds"
            else:
                time.sleep(_PING_PAUSE_SECONDS)
                continue
            raise FleetError(
                f"The primary container for production variant {variant.name} did not pass the ping health "
                f"check: {why}. Please check CloudWatch logs for this endpoint. Its last lines:\n"
                f"{variant.log.tail(_LOG_TAIL_LINES)}"
            )
