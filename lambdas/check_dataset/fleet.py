"""The endpoints as a release would make them: what is configured, what the data set asks, and what production runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handler_kit.production import Stack


def check_fleets(
    asked: Mapping[str, Mapping[str, str]], configured: Mapping[str, Mapping[str, str]], production: Stack | None
) -> None:
    """Refuse what SageMaker would refuse after training and approval. Raises ConfigurationError with what to do.

    Args:
        asked: Environment to the template parameters that the data set asks for.
        configured: Environment to those that are configured.
        production: The stack that serves production; ``None`` before the first release.
    """
    for environment, parameters in configured.items():
        fleet = {**parameters, **asked.get(environment, {})}
        _check_scaling(environment, fleet)
        if environment == "production" and production is not None and production.serves:
            _check_change(fleet["InstanceType"], production.parameters)


def _check_scaling(environment: str, fleet: Mapping[str, str]) -> None:
    if fleet["Autoscales"] != "true":
        return
    low, high, count = (int(fleet[name]) for name in ("MinCapacity", "MaxCapacity", "InitialInstanceCount"))
    if not low <= count <= high:
        raise ConfigurationError(
            f"The {environment} endpoint would start with {count} instances, and autoscaling would keep {low} to"
            f" {high}. What deployment.json asks counts together with what is configured: ask for InitialInstanceCount,"
            " MinCapacity and MaxCapacity that fit."
        )
    if fleet["InstanceType"].startswith("ml.t2."):
        raise ConfigurationError(
            f"The {environment} endpoint would scale automatically on {fleet['InstanceType']}; burstable T2 instances"
            " cannot. Use 'ml.m5.large', or ask for \"AutoScaling\": null."
        )


def _check_change(wanted: str, running: Mapping[str, str]) -> None:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html"""
    present = running.get("InstanceType", wanted)
    if running.get("Autoscales") == "true" and wanted != present:
        raise ConfigurationError(
            f"Production runs on {present} and scales automatically; while it does, SageMaker refuses another instance"
            f" type, here {wanted}. Release twice: first on {present} without autoscaling (Endpoint(autoscaling=None),"
            f' or "AutoScaling": null in deployment.json), then on {wanted} with it.'
        )
