"""One endpoint: its fleet and its state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.sagemaker.capture import captures
from mlops_constructs.local_aws.service import AwsError

if TYPE_CHECKING:
    import threading
    from datetime import datetime

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.sagemaker.fleet import Fleet
    from mlops_constructs.local_aws.service import Params


@dataclass(eq=False)
class Endpoint:
    """An endpoint. Its state is read and written under `lock`; each new status is emitted as an event.

    `pending` is the configuration that is being deployed, `shift` its fleet with the share of the traffic that it gets.
    """

    account: Account
    name: str
    arn: str
    config_name: str
    lock: threading.RLock
    status: str = "Creating"
    fleet: Fleet | None = None
    failure_reason: str = ""
    deployment_config: Params = field(default_factory=dict)
    pending: Params | None = None
    shift: tuple[Fleet, float] | None = None
    created: datetime = field(default_factory=utc_now)

    def __post_init__(self) -> None:
        self.modified = self.created

    def check_in_service(self) -> None:
        """Raise SageMaker's ValidationException unless the endpoint is InService."""
        if self.status == "Failed":
            raise AwsError("ValidationException", f'Cannot update failed endpoint "{self.arn}": delete it.')
        if self.status != "InService":
            raise AwsError("ValidationException", f'Cannot update in-progress endpoint "{self.arn}".')

    def touch(self) -> None:
        """Set LastModifiedTime to now."""
        self.modified = utc_now()

    def move_to(self, status: str) -> None:
        """Set the status, log it and emit its event."""
        self.status = status
        self.touch()
        reason = f" ({self.failure_reason})" if self.failure_reason else ""
        self.account.log(f"endpoint {self.name}: {status}{reason}")
        detail = {name: value for name, value in self.described().items() if isinstance(value, str)}
        detail["EndpointStatus"] = "IN_SERVICE" if status == "InService" else status.upper()
        self.account.emit(
            {
                "source": "aws.sagemaker",
                "detail-type": "SageMaker Endpoint State Change",
                "resources": [self.arn],
                "detail": detail,
            }
        )

    def instances(self) -> Counter[str]:
        """Its instances by type: those that serve, and those of a fleet that is being started beside them."""
        found = instances_of(self.pending["ProductionVariants"]) if self.pending is not None else Counter()
        for variant in self.fleet.variants if self.fleet is not None else ():
            found[variant.settings.get("InstanceType", "")] += variant.instance_count or 0
        return found

    def summary(self) -> Params:
        """The endpoint in ListEndpoints."""
        return {
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
            "EndpointStatus": self.status,
        }

    def described(self) -> Params:
        """The response of DescribeEndpoint."""
        answer: Params = {**self.summary(), "EndpointConfigName": self.config_name}
        if self.fleet is not None:
            answer["ProductionVariants"] = [variant.summary() for variant in self.fleet.variants]
            capture = self.fleet.config.get("DataCaptureConfig")
            if capture:
                answer["DataCaptureConfig"] = _capture_summary(capture)
            if "AsyncInferenceConfig" in self.fleet.config:
                answer["AsyncInferenceConfig"] = self.fleet.config["AsyncInferenceConfig"]
        if self.failure_reason:
            answer["FailureReason"] = self.failure_reason
        if self.deployment_config:
            answer["LastDeploymentConfig"] = self.deployment_config
        if self.pending is not None:
            answer["PendingDeploymentSummary"] = {"EndpointConfigName": self.pending["EndpointConfigName"]}
        return answer


def instances_of(variants: list[Params]) -> Counter[str]:
    """The instances of a configuration's variants, by type; a serverless variant has none."""
    found: Counter[str] = Counter()
    for variant in variants:
        found[variant.get("InstanceType", "")] += variant.get("InitialInstanceCount", 0)
    return found


def _capture_summary(capture: Params) -> Params:
    """A DataCaptureConfigSummary, every member of which is required.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DataCaptureConfigSummary.html
    """
    enabled = captures(capture)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture.get("KmsKeyId", ""),
    }
