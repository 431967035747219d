"""The endpoints as a release would deploy them: the configuration, the data set's request, and production now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handler_kit.errors import ConfigurationError, StepError
from handler_kit.serving import mode_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handler_kit.production import Stack


def check_fleets(
    requested: Mapping[str, Mapping[str, str]], configured: Mapping[str, Mapping[str, str]], production: Stack | None
) -> None:
    """Refuse what SageMaker would refuse after training and approval. Raises ConfigurationError that says what to do.

    Args:
        requested: Environment to the template parameters that the data set requests.
        configured: Environment to the configured template parameters.
        production: The production stack; ``None`` before the first release.
    """
    for environment, parameters in configured.items():
        fleet = {**parameters, **requested.get(environment, {})}
        running = production.parameters if production is not None and production.serves else {}
        if environment == "production" and running:
            _check_mode(mode_of(parameters), running)
        if "InstanceType" not in fleet:  # a serverless endpoint has no instances
            continue
        _check_scaling(environment, fleet)
        if environment == "production" and running:
            _check_change(fleet["InstanceType"], running)


def _check_scaling(environment: str, fleet: Mapping[str, str]) -> None:
    if fleet["Autoscales"] != "true":
        return
    low, high, count = (int(fleet[name]) for name in ("MinCapacity", "MaxCapacity", "InitialInstanceCount"))
    if not low <= count <= high:
        raise ConfigurationError(
            f"The {environment} endpoint would start with {count} instances, and autoscaling would keep {low} to"
            f" {high}. The values of deployment.json replace the configured values: set InitialInstanceCount,"
            " MinCapacity and MaxCapacity to values that match."
        )
    if fleet["InstanceType"].startswith("ml.t2."):
        raise ConfigurationError(
            f"The {environment} endpoint would scale automatically on {fleet['InstanceType']}; burstable T2 instances"
            " cannot. Use 'ml.m5.large', or set \"AutoScaling\": null."
        )


def _check_mode(wanted: str, running: Mapping[str, str]) -> None:
    """SageMaker converts no endpoint to serverless, and rolls none back to it.

    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html#serverless-endpoints-how-it-works-exclusions
    """
    current = mode_of(running)
    if wanted != current:
        raise ConfigurationError(
            f"Production is {current}, and the pipeline is configured to be {wanted}. SageMaker does not"
            " convert an endpoint. Deploy the old configuration again, delete the endpoints with `mlops teardown"
            " PIPELINE --yes`, deploy the new configuration, run `mlops teardown PIPELINE --cancel`, and upload the"
            " data set again; or make a second pipeline for the new endpoint."
        )


def _check_change(wanted: str, running: Mapping[str, str]) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html"""
    current = running.get("InstanceType", wanted)
    if running.get("Autoscales") == "true" and wanted != current:
        raise ConfigurationError(
            f"Production runs on {current} and scales automatically. While autoscaling is on, SageMaker refuses another"
            f" instance type, here {wanted}. Release twice: first on {current} without autoscaling"
            f' (Endpoint(autoscaling=None), or "AutoScaling": null in deployment.json), then on {wanted} with it.'
        )


def check_slots(production: Stack) -> None:
    """Refuse what A/B tests have left: a pipeline without them has only the slot ``primary``. Raises StepError."""
    occupied = production.parameters.get("Slots", "primary")
    if production.serves and occupied != "primary":
        found = "a challenger" if occupied == "both" else f"its champion in the slot {occupied}"
        raise StepError(
            f"Stack {production.name} still has {found}, and this pipeline no longer has A/B tests. Give MLOpsPipeline"
            " its ab_test again and deploy it; end the test, or release a model and promote it, until the slot primary"
            " is the only one; then leave ab_test out.",
            external_id=production.id,
        )
