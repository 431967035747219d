"""What a release needs and somebody has deleted by hand: it is refused with the command that creates it again.

Without this check, an execution would train, ask a person for approval, and fail afterwards. What the release itself
creates again is not looked up: models, alarms, and a stack that does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit.errors import StepError, error_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from handler_kit.production import Stack

# Parameter with the occupied slots, and its value for both; a stack without it has one slot.
_SLOTS, _BOTH, _VARIANTS = "Slots", "both", ("primary", "secondary")


@dataclass(frozen=True)
class Looks:
    """The clients that look things up."""

    sagemaker: Any
    scaling: Any
    iam: Any
    sns: Any


def check_endpoint(stack: Stack | None, pipeline: str, looks: Looks) -> None:
    """Raise StepError when a part of the stack's endpoint, without which no release can be deployed, is gone."""
    if stack is None or not stack.can_be_updated:
        return
    name = stack.name
    # UpdateEndpoint needs the configuration that the endpoint has, and takes no endpoint that has failed.
    endpoint = _found(lambda: looks.sagemaker.describe_endpoint(EndpointName=name))
    if endpoint is None:
        raise _gone(stack, f"Endpoint {name}", pipeline)
    if endpoint["EndpointStatus"] == "Failed":
        raise _refused(stack, f"Endpoint {name} has failed and can only be deleted", pipeline)
    config = endpoint["EndpointConfigName"]
    if _found(lambda: looks.sagemaker.describe_endpoint_config(EndpointConfigName=config)) is None:
        raise _gone(stack, f"Endpoint configuration {config} of the endpoint {name}", pipeline)
    for variant in _scaled(stack):
        found = looks.scaling.describe_scalable_targets(
            ServiceNamespace="sagemaker", ResourceIds=[f"endpoint/{name}/variant/{variant}"]
        )
        if not found["ScalableTargets"]:
            raise _gone(stack, f"The autoscaling of the endpoint {name}, variant {variant},", pipeline)


def check_made_by_terraform(role_arns: Sequence[str], topic_arn: str | None, looks: Looks) -> None:
    """Raise StepError when a role of the endpoints, or the topic of the approval, does not exist any more."""
    for arn in role_arns:
        if _found(lambda arn=arn: looks.iam.get_role(RoleName=arn.rpartition("/")[2])) is None:  # type: ignore[misc]
            raise _undeployed(f"Role {arn}, which the endpoints need,")
    if topic_arn is not None and _found(lambda: looks.sns.get_topic_attributes(TopicArn=topic_arn)) is None:
        raise _undeployed(f"SNS topic {topic_arn}, to which the approval is published,")


def _scaled(stack: Stack) -> list[str]:
    """The variants that the stack scales automatically."""
    given = stack.parameters
    if _SLOTS not in given:
        return [_VARIANTS[0]] if given.get("Autoscales") == "true" else []
    occupied = _VARIANTS if given[_SLOTS] == _BOTH else (given[_SLOTS],)
    return [one for one in occupied if given.get(f"{one.capitalize()}Autoscales") == "true"]


def _gone(stack: Stack, what: str, pipeline: str) -> StepError:
    problem = f"{what} does not exist any more, although stack {stack.name} has created it: somebody deleted it by hand"
    return _refused(stack, problem, pipeline)


def _refused(stack: Stack, problem: str, pipeline: str) -> StepError:
    dev = " --dev" if stack.name.endswith("-dev") else ""
    return StepError(
        f"{problem}, and no release can be deployed without it. Run: mlops resume {pipeline}{dev}; then retry the"
        " stage.",
        external_id=stack.id,
    )


def _undeployed(what: str) -> StepError:
    return StepError(
        f"{what} does not exist: somebody deleted it by hand, and no release can be deployed without it. Deploy the"
        " pipeline again, which creates it: cdktf deploy; then retry the stage."
    )


def _found(look_up: Callable[[], Any]) -> Any | None:
    """What a call returns, or ``None`` when there is no such thing."""
    try:
        return look_up()
    except ClientError as error:
        gone = error_code(error) in ("NoSuchEntity", "NotFound", "NotFoundException")
        if gone or (error_code(error) == "ValidationException" and "not find" in str(error)):
            return None
        raise
