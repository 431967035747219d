"""SageMaker endpoints, served by real processes."""

from __future__ import annotations

import copy
import random
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.sagemaker.deployment import Deployment
from mlops_constructs.local_aws.sagemaker.endpoint import Endpoint, instances_of
from mlops_constructs.local_aws.sagemaker.pages import page_of
from mlops_constructs.local_aws.sagemaker.updates import (
    change_of,
    check_changes,
    check_guardrails,
    check_mode,
    check_scaled_variants,
    check_weights,
    with_retained_properties,
)
from mlops_constructs.local_aws.service import AwsError, Params, Service, without_metadata

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.host import ContainerHost
    from mlops_constructs.local_aws.sagemaker.fleet import Fleet, Variant
    from mlops_constructs.local_aws.sagemaker.tags import Tags
    from mlops_constructs.local_aws.service_quotas import ServiceQuotasService

SHIFT_SECONDS = 0.2
"""How long new weights and instance counts take; on AWS, minutes."""
BAKE_SECONDS = 0.0
"""How long each step of a traffic shift waits at most; on AWS, WaitIntervalInSeconds. A test can wait on its clock."""
_STEP_SECONDS = 0.1
HEALTH_SECONDS = 60.0
"""How long a local fleet may take to become healthy; AWS allows 4 minutes and more."""


class Endpoints(Service):
    """The endpoints of the account. Their names are not case-sensitive."""

    service_name: ClassVar[str] = "sagemaker"

    def __init__(self, account: Account, containers: ContainerHost, tags: Tags, quotas: ServiceQuotasService) -> None:
        super().__init__(account)
        self.health_seconds = HEALTH_SECONDS
        self.shift_seconds = SHIFT_SECONDS
        self.bake_seconds = BAKE_SECONDS
        self._containers = containers
        self._tags = tags
        self._quotas = quotas
        self._endpoints: dict[str, Endpoint] = {}

    def create_endpoint(self, params: Params) -> Params:
        """Start a fleet in the background."""
        name = params["EndpointName"]
        config = self._config(params["EndpointConfigName"])
        arn = self._arn(name)
        endpoint = Endpoint(self.account, name, arn, config["EndpointConfigName"], self.lock, pending=config)
        endpoint.deployment_config = params.get("DeploymentConfig", {})
        with self.lock:
            if name.lower() in self._endpoints:
                raise AwsError("ValidationException", f'Cannot create already existing endpoint "{arn}".')
            self._check_quotas(instances_of(config["ProductionVariants"]))
            self._endpoints[name.lower()] = endpoint
        self._tags.tag(arn, params)
        self.account.spawn(f"endpoint-{name}", self._deployment(endpoint, config).create)
        return {"EndpointArn": arn}

    def describe_endpoint(self, params: Params) -> Params:
        """The state of an endpoint."""
        with self.lock:
            return self.find(params["EndpointName"]).described()

    def list_endpoints(self, params: Params) -> Params:
        """Endpoints, optionally filtered by name or status."""
        with self.lock:
            summaries = [
                endpoint.summary()
                for endpoint in self._endpoints.values()
                if params.get("NameContains", "").lower() in endpoint.name.lower()
                and params.get("StatusEquals", endpoint.status) == endpoint.status
            ]
        summaries.sort(key=lambda summary: summary["CreationTime"], reverse=params.get("SortOrder") != "Ascending")
        return page_of("Endpoints", summaries, params)

    def update_endpoint(self, params: Params) -> Params:
        """Start the new fleet beside the old one in the background, and switch when it is healthy.

        It needs the old configuration too: DeleteEndpointConfig deletes one in use, and then no update succeeds.
        """
        config = self._config(params["EndpointConfigName"])
        self._config(self.find(params["EndpointName"]).config_name)
        with self.lock:
            endpoint = self.find(params["EndpointName"])
            endpoint.check_in_service()
            fleet = endpoint.fleet
            if fleet is None:
                raise AwsError("ValidationException", f"Endpoint {endpoint.name} has no fleet yet.")
            retains = params.get("RetainDeploymentConfig")
            policy = endpoint.deployment_config if retains else params.get("DeploymentConfig", {})
            check_mode(fleet.config, config)
            check_guardrails(fleet.config, config, policy)
            check_scaled_variants(self.account, endpoint.name, fleet.config, config)
            if params.get("RetainAllVariantProperties"):
                config = with_retained_properties(fleet, config, params.get("ExcludeRetainedVariantProperties", []))
                check_weights(variant.get("InitialVariantWeight", 1.0) for variant in config["ProductionVariants"])
            self._check_quotas(instances_of(config["ProductionVariants"]))
            endpoint.deployment_config = policy
            endpoint.pending = config
            endpoint.failure_reason = ""
            endpoint.move_to("Updating")
        self.account.spawn(f"endpoint-{endpoint.name}", self._deployment(endpoint, config).update)
        return {"EndpointArn": endpoint.arn}

    def update_endpoint_weights_and_capacities(self, params: Params) -> Params:
        """Change weights, or an instance count, in the background: both are live when the endpoint is InService."""
        with self.lock:
            endpoint = self.find(params["EndpointName"])
            endpoint.check_in_service()
            variants = {variant.name: variant for variant in self.serving(endpoint.name).variants}
            wanted = params["DesiredWeightsAndCapacities"]
            # Only an asynchronous endpoint can have none:
            # https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
            queued = "AsyncInferenceConfig" in self.serving(endpoint.name).config
            check_changes(variants, wanted, least_count=0 if queued else 1)
            self._check_quotas(_added(variants, wanted))
            for variant in variants.values():
                change = change_of(variant, wanted)
                variant.desired_weight, variant.desired_count = (
                    change.get(name) for name in ("DesiredWeight", "DesiredInstanceCount")
                )
            endpoint.failure_reason = ""
            endpoint.move_to("Updating")
        self.account.spawn(f"endpoint-{endpoint.name}", lambda: self._shift(endpoint, list(variants.values())))
        return {"EndpointArn": endpoint.arn}

    def delete_endpoint(self, params: Params) -> Params:
        """Stop serving, in the background."""
        with self.lock:
            endpoint = self.find(params["EndpointName"])
            if endpoint.status in ("Updating", "Deleting"):
                raise AwsError("ValidationException", f'Cannot update in-progress endpoint "{endpoint.arn}".')
            endpoint.failure_reason = ""
            endpoint.move_to("Deleting")
        self._tags.forget(endpoint.arn)
        self.account.spawn(f"endpoint-{endpoint.name}", lambda: self._take_down(endpoint))
        return {}

    def find(self, name: str) -> Endpoint:
        """The endpoint with this name. Raises SageMaker's ValidationException when there is none."""
        with self.lock:
            endpoint = self._endpoints.get(name.lower())
        if endpoint is None:
            raise AwsError("ValidationException", f'Could not find endpoint "{self._arn(name)}".')
        return endpoint

    def serving(self, name: str) -> Fleet:
        """The fleet that handles invocations now. Raises ValidationError when there is none."""
        with self.lock:
            endpoint = self._endpoints.get(name.lower())
            if endpoint is None or endpoint.fleet is None or endpoint.status in ("Failed", "Deleting"):
                raise AwsError("ValidationError", f"Endpoint {name} of account {self.account.account_id} not found.")
            if endpoint.shift is not None and random.random() < endpoint.shift[1]:
                return endpoint.shift[0]
            return endpoint.fleet

    def asynchronous(self) -> list[Fleet]:
        """The fleets that serve from a queue."""
        with self.lock:
            found = [
                one.fleet for one in self._endpoints.values() if one.fleet is not None and one.status != "Deleting"
            ]
        return [fleet for fleet in found if "AsyncInferenceConfig" in fleet.config]

    def resume(self) -> None:
        """Start what served, and wait for it."""
        threads = [
            self.account.spawn(f"endpoint-{one.name}", self._deployment(one, one.fleet.config).resume)
            for one in self._endpoints.values()
            if one.fleet is not None
        ]
        for thread in threads:
            thread.join()

    def close(self) -> None:
        """End every serving process immediately."""
        with self.lock:
            fleets = [endpoint.fleet for endpoint in self._endpoints.values() if endpoint.fleet is not None]
        for fleet in fleets:
            fleet.stop(0)

    def _arn(self, name: str) -> str:
        return self.account.arn("sagemaker", f"endpoint/{name.lower()}")

    def _config(self, name: str) -> Params:
        config = self.account.client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
        return without_metadata(copy.deepcopy(config))

    def _check_quotas(self, wanted: Counter[str]) -> None:
        """Raise ResourceLimitExceeded when the account may not have these instances beside all that it has now."""
        used = sum((endpoint.instances() for endpoint in self._endpoints.values()), Counter())
        for instance_type, count in wanted.items():
            self._quotas.check_instances(instance_type, "endpoint", used[instance_type], count)

    def _deployment(self, endpoint: Endpoint, config: Params) -> Deployment:
        seconds = (self.health_seconds, self.bake_seconds)
        return Deployment(self.account, self._containers, endpoint, config, *seconds)

    def _shift(self, endpoint: Endpoint, variants: list[Variant]) -> None:
        done = self.account.clock.now() + self.shift_seconds
        while (left := done - self.account.clock.now()) > 0:  # a test can advance the clock
            if self.account.closing.wait(min(left, _STEP_SECONDS)):
                return
        with self.lock:
            for variant in variants:
                variant.settle()
            endpoint.move_to("InService")

    def _take_down(self, endpoint: Endpoint) -> None:
        with self.lock:
            fleet, endpoint.fleet = endpoint.fleet, None
        if fleet is not None:
            fleet.stop()
        with self.lock:
            del self._endpoints[endpoint.name.lower()]


def _added(variants: dict[str, Variant], wanted: list[Params]) -> Counter[str]:
    """The instances that UpdateEndpointWeightsAndCapacities adds, by type."""
    added: Counter[str] = Counter()
    for change in wanted:
        variant = variants[change["VariantName"]]
        now = variant.instance_count or 0
        added[variant.settings.get("InstanceType", "")] += max(0, change.get("DesiredInstanceCount", now) - now)
    return added
