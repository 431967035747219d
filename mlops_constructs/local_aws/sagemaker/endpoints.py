"""SageMaker endpoints, served by real processes."""

from __future__ import annotations

import copy
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.sagemaker.fleet import Fleet, FleetFailure, FleetStarter
from mlops_constructs.local_aws.sagemaker.updates import (
    check_scaled_variants,
    ringing_alarms,
    with_retained_properties,
)
from mlops_constructs.local_aws.service import AwsError, Params, without_metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.local_aws import LocalAws

_SWITCH_SECONDS = 0.3
"""A request that was sent to the old fleet just before the switch must still reach it."""
HEALTH_SECONDS = 60.0
"""How long a local fleet may take to become healthy; AWS gives 4 minutes and more."""


@dataclass
class Endpoint:
    """An endpoint. Written under the lock of its `Endpoints`."""

    name: str
    arn: str
    config_name: str
    status: str
    created: datetime
    modified: datetime
    fleet: Fleet | None = None
    failure_reason: str = ""
    deployment_config: Params = field(default_factory=dict)
    pending_config_name: str | None = None

    def described(self) -> Params:
        """The answer of DescribeEndpoint."""
        answer: Params = {
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            "EndpointConfigName": self.config_name,
            "EndpointStatus": self.status,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
        }
        if self.fleet is not None:
            answer["ProductionVariants"] = [variant.summary() for variant in self.fleet.variants]
            capture = self.fleet.config.get("DataCaptureConfig")
            if capture:
                answer["DataCaptureConfig"] = _capture_summary(capture)
        if self.failure_reason:
            answer["FailureReason"] = self.failure_reason
        if self.deployment_config:
            answer["LastDeploymentConfig"] = self.deployment_config
        if self.pending_config_name is not None:
            answer["PendingDeploymentSummary"] = {"EndpointConfigName": self.pending_config_name}
        return answer


class Endpoints:
    """The endpoints of the account."""

    def __init__(self, aws: LocalAws) -> None:
        self.health_seconds = HEALTH_SECONDS
        self._aws = aws
        self._lock = threading.RLock()
        self._endpoints: dict[str, Endpoint] = {}

    def create(self, params: Params) -> Params:
        """Start a fleet in the background. Names are compared without regard to case."""
        name = params["EndpointName"]
        config = self._config(params["EndpointConfigName"])
        arn = f"arn:aws:sagemaker:{self._aws.region}:{self._aws.account_id}:endpoint/{name.lower()}"
        now = datetime.now(timezone.utc)
        endpoint = Endpoint(name, arn, config["EndpointConfigName"], "Creating", now, now)
        with self._lock:
            if name.lower() in self._endpoints:
                raise AwsError("ValidationException", f'Cannot create already existing endpoint "{arn}".')
            self._endpoints[name.lower()] = endpoint
        self._aws.spawn(f"endpoint-{name}", lambda: self._bring_up(endpoint, config))
        return {"EndpointArn": arn}

    def describe(self, params: Params) -> Params:
        """DescribeEndpoint."""
        with self._lock:
            return self.find(params["EndpointName"]).described()

    def list_endpoints(self, params: Params) -> Params:
        """ListEndpoints, by name or status."""
        with self._lock:
            summaries: list[Params] = [
                {
                    "EndpointName": endpoint.name,
                    "EndpointArn": endpoint.arn,
                    "CreationTime": endpoint.created,
                    "LastModifiedTime": endpoint.modified,
                    "EndpointStatus": endpoint.status,
                }
                for endpoint in self._endpoints.values()
                if params.get("NameContains", "").lower() in endpoint.name.lower()
                and params.get("StatusEquals", endpoint.status) == endpoint.status
            ]
        summaries.sort(key=lambda summary: summary["CreationTime"], reverse=params.get("SortOrder") != "Ascending")
        return {"Endpoints": summaries[: params.get("MaxResults", 100)]}

    def update(self, params: Params) -> Params:
        """Start the new fleet beside the old one in the background, and switch when it is healthy."""
        config = self._config(params["EndpointConfigName"])
        with self._lock:
            endpoint = self._in_service(params["EndpointName"])
            fleet = endpoint.fleet
            if fleet is None:
                raise AwsError("ValidationException", f"Endpoint {endpoint.name} serves nothing yet.")
            check_scaled_variants(self._aws, endpoint.name, fleet.config, config)
            if params.get("RetainAllVariantProperties"):
                config = with_retained_properties(fleet, config, params.get("ExcludeRetainedVariantProperties", []))
            if not params.get("RetainDeploymentConfig"):
                endpoint.deployment_config = params.get("DeploymentConfig", {})
            endpoint.pending_config_name = config["EndpointConfigName"]
            endpoint.failure_reason = ""
            self._set_status(endpoint, "Updating")
        self._aws.spawn(f"endpoint-{endpoint.name}", lambda: self._replace(endpoint, config))
        return {"EndpointArn": endpoint.arn}

    def update_weights_and_capacities(self, params: Params) -> Params:
        """Change the traffic shares and instance counts of variants that serve."""
        with self._lock:
            endpoint = self._in_service(params["EndpointName"])
            variants = {variant.name: variant for variant in self.serving(endpoint.name).variants}
            wanted = params["DesiredWeightsAndCapacities"]
            for change in wanted:
                if change["VariantName"] not in variants:
                    raise AwsError("ValidationException", f"The variant {change['VariantName']} does not exist.")
            for change in wanted:
                variant = variants[change["VariantName"]]
                variant.weight = change.get("DesiredWeight", variant.weight)
                variant.instance_count = change.get("DesiredInstanceCount", variant.instance_count)
            endpoint.modified = datetime.now(timezone.utc)
        return {"EndpointArn": endpoint.arn}

    def delete(self, params: Params) -> Params:
        """Stop serving, in the background."""
        with self._lock:
            endpoint = self.find(params["EndpointName"])
            if endpoint.status in ("Updating", "Deleting"):
                raise AwsError("ValidationException", f'Cannot update in-progress endpoint "{endpoint.arn}".')
            endpoint.failure_reason = ""
            self._set_status(endpoint, "Deleting")
        self._aws.spawn(f"endpoint-{endpoint.name}", lambda: self._take_down(endpoint))
        return {}

    def find(self, name: str) -> Endpoint:
        """The endpoint of this name. Raises the ValidationException that SageMaker gives for none."""
        with self._lock:
            endpoint = self._endpoints.get(name.lower())
        if endpoint is None:
            arn = f"arn:aws:sagemaker:{self._aws.region}:{self._aws.account_id}:endpoint/{name.lower()}"
            raise AwsError("ValidationException", f'Could not find endpoint "{arn}".')
        return endpoint

    def serving(self, name: str) -> Fleet:
        """What answers invocations now. Raises ValidationError when nothing does."""
        with self._lock:
            endpoint = self._endpoints.get(name.lower())
            if endpoint is None or endpoint.fleet is None or endpoint.status in ("Failed", "Deleting"):
                raise AwsError("ValidationError", f"Endpoint {name} of account {self._aws.account_id} not found.")
            return endpoint.fleet

    def close(self) -> None:
        """End every serving process at once."""
        with self._lock:
            fleets = [endpoint.fleet for endpoint in self._endpoints.values() if endpoint.fleet is not None]
        for fleet in fleets:
            fleet.stop(0)

    def _config(self, name: str) -> Params:
        config = self._aws.client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
        return without_metadata(copy.deepcopy(config))

    def _in_service(self, name: str) -> Endpoint:
        endpoint = self.find(name)
        if endpoint.status == "Failed":
            raise AwsError("ValidationException", f'Cannot update failed endpoint "{endpoint.arn}": delete it.')
        if endpoint.status != "InService":
            raise AwsError("ValidationException", f'Cannot update in-progress endpoint "{endpoint.arn}".')
        return endpoint

    def _starter(self, endpoint: Endpoint) -> FleetStarter:
        def cancelled() -> bool:
            return endpoint.status == "Deleting" or self._aws.closing.is_set()

        return FleetStarter(self._aws, endpoint.name, self.health_seconds, cancelled)

    def _bring_up(self, endpoint: Endpoint, config: Params) -> None:
        fleet, reason = self._try(lambda: self._starter(endpoint).start(config))
        with self._lock:
            gone = endpoint.status == "Deleting" or self._aws.closing.is_set()
            if not gone:
                endpoint.fleet = fleet
                endpoint.failure_reason = reason
                self._set_status(endpoint, "InService" if fleet is not None else "Failed")
        if gone and fleet is not None:
            fleet.stop(0)

    def _replace(self, endpoint: Endpoint, config: Params) -> None:
        new, reason = self._try(lambda: self._starter(endpoint).start(config))
        if new is not None:
            ringing = ringing_alarms(self._aws, endpoint.deployment_config)
            if ringing:
                new.stop()
                new, reason = None, f"One or more configured alarms are in ALARM state: {', '.join(ringing)}"
        with self._lock:
            retired = endpoint.fleet
            endpoint.pending_config_name = None
            if new is not None:
                endpoint.fleet, endpoint.config_name = new, new.config_name
            else:
                endpoint.failure_reason = f"Endpoint update rolled back: {reason}"
            self._set_status(endpoint, "InService")
        if new is not None and retired is not None:
            self._aws.closing.wait(_SWITCH_SECONDS)
            retired.stop()

    def _try(self, start: Callable[[], Fleet]) -> tuple[Fleet | None, str]:
        try:
            return start(), ""
        except FleetFailure as error:
            return None, str(error)
        except Exception as error:
            if not self._aws.closing.is_set():
                self._aws.log(f"starting a fleet: {type(error).__name__}: {error}")
            return None, f"Request to service failed: {type(error).__name__}: {error}"

    def _take_down(self, endpoint: Endpoint) -> None:
        with self._lock:
            fleet, endpoint.fleet = endpoint.fleet, None
        if fleet is not None:
            fleet.stop()
        with self._lock:
            del self._endpoints[endpoint.name.lower()]

    def _set_status(self, endpoint: Endpoint, status: str) -> None:
        endpoint.status = status
        endpoint.modified = datetime.now(timezone.utc)
        reason = f" ({endpoint.failure_reason})" if endpoint.failure_reason else ""
        self._aws.log(f"endpoint {endpoint.name}: {status}{reason}")
        detail = {name: value for name, value in endpoint.described().items() if isinstance(value, str)}
        detail["EndpointStatus"] = "IN_SERVICE" if status == "InService" else status.upper()
        self._aws.emit(
            {
                "source": "aws.sagemaker",
                "detail-type": "SageMaker Endpoint State Change",
                "resources": [endpoint.arn],
                "detail": detail,
            }
        )


def _capture_summary(capture: Params) -> Params:
    return {
        "EnableCapture": capture.get("EnableCapture", False),
        "CaptureStatus": "Started" if capture.get("EnableCapture") else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture.get("KmsKeyId", ""),
    }
