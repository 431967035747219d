"""What a run knows of its pipeline, and what it sees in AWS."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from patience import PATIENCE_SECONDS

from ab_soak.account import ARTIFACTS
from ab_soak.pipeline import Pipeline, record_bytes
from handler_kit.ab_record import Record, other

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ab_soak.account import Account
    from ab_soak.execution import Execution
    from handler_kit.production import Stack

_POLL_SECONDS = 0.02
_TYPES = {
    "AWS::SageMaker::Model": "models",
    "AWS::SageMaker::EndpointConfig": "endpoint configurations",
    "AWS::SageMaker::Endpoint": "endpoints",
    "AWS::CloudWatch::Alarm": "alarms",
    "AWS::ApplicationAutoScaling::ScalableTarget": "scalable targets",
}


class World:
    """It.

    Attributes:
        account: The account of the pipeline.
        pipeline: The pipeline.
        known: The record, as far as it was checked.
        weighed_by_hand: Whether somebody changed the weights by hand, and nobody has changed them since.
        was_disturbed: Whether a fault has hit a step, and the weights have not been those of the record since.
        tests_by_hand: Ids of tests whose weights or records were changed by hand.
        command_done: Whether the last step was a command that did what it was to do.
    """

    def __init__(self, account: Account, name: str) -> None:
        """Begin a run with a pipeline of this name."""
        self.account, self.pipeline = account, Pipeline(account, name)
        self.known = Record()
        self.weighed_by_hand = self.was_disturbed = self.command_done = False
        self.tests_by_hand: set[str] = set()
        self._seen: set[str] = set()
        self._slots: dict[str, str] = {}
        self._names = {one.package: one.name for one in (*account.models, *account.bad.values())}

    @property
    def key(self) -> str:
        """Key of the record."""
        return f"ab/{self.pipeline.name}/record.json"

    def record(self) -> Record:
        """Return the record."""
        body = record_bytes(self.account, self.pipeline.name)
        return Record.from_json(json.loads(body)) if body else Record()

    def new_versions(self) -> Iterator[tuple[str, bytes]]:
        """Yield the versions of the record since the last time, the oldest first."""
        for version, deleted in self._versions():
            if version not in self._seen and not deleted:
                s3 = self.account.client("s3")
                yield version, s3.get_object(Bucket=ARTIFACTS, Key=self.key, VersionId=version)["Body"].read()
            self._seen.add(version)

    def accept_record(self) -> None:
        """Take the record as it is, because it was changed by hand."""
        self._seen |= {version for version, _ in self._versions()}
        self.known = self.record()

    def execution(self, execution_id: str) -> Execution | None:
        """Return the execution with this id."""
        return next((one for one in self.pipeline.executions if one.id == execution_id), None)

    def name_of(self, package: str) -> str:
        """Return what the model of a package answers."""
        return self._names[package]

    def stack(self) -> Stack:
        """Return the stack. There must be one."""
        found = self.pipeline.stage.production_of().stack()
        assert found is not None
        return found

    def endpoint(self) -> dict[str, Any]:
        """Return the endpoint; empty when there is none."""
        try:
            found: dict[str, Any] = self.account.client("sagemaker").describe_endpoint(
                EndpointName=self.pipeline.production
            )
        except ClientError:
            return {}
        return found

    def weights(self) -> dict[str, float]:
        """Return the weights of the endpoint."""
        return {one["VariantName"]: one["CurrentWeight"] for one in self.endpoint()["ProductionVariants"]}

    def settle(self) -> None:
        """Wait until what was begun in AWS has ended."""

        def at_rest() -> bool:
            stack = self.pipeline.stage.production_of().stack()
            busy = stack is not None and stack.status.endswith("_IN_PROGRESS") and not stack.status.startswith("REVIEW")
            return not busy and self.endpoint().get("EndpointStatus", "InService") in ("InService", "Failed")

        self.until(at_rest)

    def until(self, reached: Callable[[], object]) -> None:
        """Wait for a state of AWS."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            assert time.monotonic() < deadline, "AWS does not come to rest"
            time.sleep(_POLL_SECONDS)

    def facts(self) -> dict[str, Any]:
        """Return what must not change when something is refused."""
        stack = self.pipeline.stage.production_of().stack()
        return {
            "the record": record_bytes(self.account, self.pipeline.name),
            "the weights": {} if not self.endpoint() else self.weights(),
            "the stack": None if stack is None else stack.parameters,
        }

    def slot_of_test(self, test_id: str, record: Record) -> str:
        """Return the slot of a test's challenger."""
        if test_id not in self._slots:
            assert record.test is not None
            assert record.champion is not None
            wanted = record.test.challenger
            roles = [one for one in (record.challenger, record.champion) if one is not None]
            found = next((one.slot for one in roles if one.model_package_arn == wanted), None)
            self._slots[test_id] = found or other(record.champion.slot)
        return self._slots[test_id]

    def shares_between(self, since: float, until: float) -> Iterator[tuple[float, float, dict[str, float] | None]]:
        """Yield the shares of the traffic in a time, each with its own time."""
        lives = self.account.lives[self.pipeline.production]
        ends = [at for at, _ in lives[1:]] + [until]
        for (begin, shares), end in zip(lives, ends, strict=True):
            if max(begin, since) < min(end, until):
                yield max(begin, since), min(end, until), shares

    def resources(self) -> dict[str, set[str]]:
        """Return what the account has of this pipeline, by kind."""
        client, name = self.account.client, self.pipeline.production
        sagemaker, found = client("sagemaker"), defaultdict[str, set[str]](set)
        for kind, operation, member, key in (
            ("models", "list_models", "Models", "ModelName"),
            ("endpoint configurations", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
            ("endpoints", "list_endpoints", "Endpoints", "EndpointName"),
        ):
            pages = sagemaker.get_paginator(operation).paginate(NameContains=name)
            listed = {one[key].lower() for page in pages for one in page[member]}
            # Not every list of the local AWS heeds NameContains.
            found[kind] = {one for one in listed if one == name or one.startswith(f"{name}-")}
        pages = client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{name}-")
        found["alarms"] = {one["AlarmName"].lower() for page in pages for one in page["MetricAlarms"]}
        scaling = client("application-autoscaling")
        ids = [f"endpoint/{name}/variant/{slot}" for slot in ("primary", "secondary")]
        targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", ResourceIds=ids)["ScalableTargets"]
        found["scalable targets"] = {one["ResourceId"] for one in targets}
        return found

    def stack_resources(self) -> dict[str, set[str]]:
        """Return what the stack has, by kind."""
        cloudformation, found = self.account.client("cloudformation"), defaultdict[str, set[str]](set)
        listed = cloudformation.describe_stack_resources(StackName=self.pipeline.production)["StackResources"]
        for one in listed:
            kind, name = _TYPES.get(one["ResourceType"]), one["PhysicalResourceId"]
            if kind == "scalable targets":
                found[kind].add(name.partition("|")[0])
            elif kind is not None:
                found[kind].add(name.rpartition("/")[2].lower())
        return found

    def forget(self) -> None:
        """Delete the objects of this pipeline: moto lists the slower the more there are."""
        s3 = self.account.client("s3")
        for folder in ("ab", "releases"):
            found = s3.list_object_versions(Bucket=ARTIFACTS, Prefix=f"{folder}/{self.pipeline.name}/")
            for one in (*found.get("Versions", []), *found.get("DeleteMarkers", [])):
                s3.delete_object(Bucket=ARTIFACTS, Key=one["Key"], VersionId=one["VersionId"])

    def _versions(self) -> list[tuple[str, bool]]:
        """Return id of each version of the record, and whether it is a deletion, the oldest first."""
        found = self.account.client("s3").list_object_versions(Bucket=ARTIFACTS, Prefix=self.key)
        listed = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
        return [(one["VersionId"], "Size" not in one) for one in reversed(listed)]
