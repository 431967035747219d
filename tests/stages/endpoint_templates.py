"""Every kind of template that an endpoint can have, for the tests that look at all of them.

A new way of serving adds its template here.
"""

from __future__ import annotations

from typing import Any

from mlops_constructs import AsyncInferenceConfig, Autoscaling, DataCapture, Endpoint, EndpointLimits, Rollout
from mlops_constructs.config.requests import AllowedEndpoint
from mlops_constructs.stages.deployment.template import endpoint_template

PRODUCTION = Endpoint.for_production()
_PLAIN = Endpoint(initial_instance_count=2)
_SCALED = Endpoint(initial_instance_count=2, autoscaling=Autoscaling(min_capacity=2, max_capacity=6))
_LIMITS = EndpointLimits(instance_types=["ml.m5d.large"], max_instance_count=10, autoscaling=True)
_TOPICS = AsyncInferenceConfig(success_topic="one", error_topic="other", max_concurrent_invocations_per_instance=4)
TEMPLATES: dict[str, dict[str, Any]] = {
    "dev": endpoint_template(Endpoint()),
    "production": endpoint_template(PRODUCTION),
    "without-rollout": endpoint_template(_PLAIN),
    "autoscaling": endpoint_template(_SCALED),
    "captured": endpoint_template(Endpoint(initial_instance_count=2, data_capture=DataCapture())),
    "linear": endpoint_template(Endpoint(initial_instance_count=2, rollout=Rollout.linear(step_percent=10))),
    "all-at-once": endpoint_template(Endpoint(initial_instance_count=2, rollout=Rollout.all_at_once())),
    "own-disks": endpoint_template(Endpoint(instance_type="ml.m5d.large")),
    "volume": endpoint_template(Endpoint(volume_size_in_gb=512, model_data_download_timeout_in_seconds=3600)),
    "requests": endpoint_template(PRODUCTION, AllowedEndpoint.of(PRODUCTION, _LIMITS)),
    "vpc": endpoint_template(PRODUCTION, in_vpc=True),
    "tags": endpoint_template(PRODUCTION, tags={"team": "risk", "mlops:pipeline": "iris"}),
    "script": endpoint_template(PRODUCTION, environment={"SAGEMAKER_PROGRAM": "inference.py"}),
    "serverless": endpoint_template(Endpoint.serverless()),
    "provisioned": endpoint_template(Endpoint.serverless(provisioned_concurrency=2)),
    "asynchronous": endpoint_template(Endpoint.asynchronous()),
    "asynchronous-fixed": endpoint_template(Endpoint.asynchronous(autoscaling=None)),
    "asynchronous-notifying": endpoint_template(
        Endpoint.asynchronous(rollout=Rollout.all_at_once(), async_inference_config=_TOPICS)
    ),
    "ab-test": endpoint_template(PRODUCTION, ab_test=True),
    "ab-test-without-rollout": endpoint_template(_SCALED, ab_test=True),
    "ab-test-in-a-vpc": endpoint_template(PRODUCTION, in_vpc=True, ab_test=True, tags={"team": "risk"}),
}
