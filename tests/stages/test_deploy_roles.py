"""What CloudFormation deploys with: enough for its handlers and for Application Auto Scaling, and for one endpoint."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from synthesis import Synthesized, synth

from mlops_constructs import Dataset, Endpoint, EndpointLimits, Requests, Rollout
from mlops_constructs.stages.deployment.template import endpoint_template

if TYPE_CHECKING:
    from collections.abc import Iterator

# Actions in the registry's lists that no deployment of our templates calls, each with its reason.
EXCUSED = {
    "cloudwatch:GetMetricData": "for predictive scaling only; target tracking has no forecast",
    "lambda:DeleteProvisionedConcurrencyConfig": "for scalable targets of Lambda only",
    "lambda:GetProvisionedConcurrencyConfig": "for scalable targets of Lambda only",
    "lambda:PutProvisionedConcurrencyConfig": "for scalable targets of Lambda only",
}
STAGES = ["dev", "production"]


@pytest.fixture(scope="module")
def stack() -> Synthesized:
    return synth()


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def registry_actions() -> dict[str, set[str]]:
    """Give what the handlers of each resource type of the templates call; nothing lists the resources of an account."""
    kinds = {one["Type"] for one in endpoint_template(Endpoint.for_production())["Resources"].values()}
    handlers = {
        kind: PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema["handlers"] for kind in kinds
    }
    return {
        kind: {
            action for name in ("create", "read", "update", "delete") for action in verbs.get(name, {})["permissions"]
        }
        for kind, verbs in handlers.items()
    }


def allowed(statements: list[dict[str, Any]]) -> set[str]:
    return {action for one in statements if one["Effect"] == "Allow" for action in listed(one["Action"])}


def missing(statements: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Give the actions of the registry that are neither allowed nor excused, by resource type."""
    lacking = {kind: actions - allowed(statements) - set(EXCUSED) for kind, actions in registry_actions().items()}
    return {kind: actions for kind, actions in lacking.items() if actions}


def covering(statements: list[dict[str, Any]], action: str, arn: str) -> Iterator[dict[str, Any]]:
    """Give the statements about an action on an ARN, whatever their conditions."""
    for one in statements:
        patterns = [re.sub(r"\$\{[^}]+\}", "x", pattern) for pattern in listed(one["Resource"])]
        if action in listed(one["Action"]) and any(fnmatch.fnmatchcase(arn, pattern) for pattern in patterns):
            yield one


@pytest.mark.parametrize("stage", STAGES)
def test_the_role_has_what_the_handlers_call(stack: Synthesized, stage: str) -> None:
    assert missing(stack.policy(f"-deploy-{stage}")) == {}


@pytest.mark.parametrize("action", ["cloudwatch:TagResource", "application-autoscaling:DescribeScheduledActions"])
def test_an_action_that_the_role_lacks_is_found(stack: Synthesized, action: str) -> None:
    rest = [one for one in stack.policy("-deploy-production") if action not in listed(one["Action"])]
    assert action in set().union(*missing(rest).values())


def test_every_excuse_is_needed() -> None:
    assert set(EXCUSED) <= set().union(*registry_actions().values())


PROBES = [
    ("cloudwatch:DescribeAlarms", "arn:x:cloudwatch:x:x:alarm:*"),
    ("cloudwatch:PutMetricAlarm", "arn:x:cloudwatch:x:x:alarm:"),
    ("cloudwatch:DeleteAlarms", "arn:x:cloudwatch:x:x:alarm:"),
    ("sagemaker:DescribeEndpoint", "arn:x:sagemaker:x:x:endpoint/8d2f7a52"),
    ("sagemaker:DescribeEndpointConfig", "arn:x:sagemaker:x:x:endpoint-config/8d2f7a52"),
    ("sagemaker:UpdateEndpointWeightsAndCapacities", "arn:x:sagemaker:x:x:endpoint/8d2f7a52"),
]


@pytest.mark.parametrize(("action", "arn"), PROBES)
@pytest.mark.parametrize("stage", STAGES)
def test_application_auto_scaling_s_probes_are_allowed(stack: Synthesized, stage: str, action: str, arn: str) -> None:
    (probe,) = covering(stack.policy(f"-deploy-{stage}"), action, arn)
    assert (probe["Effect"], probe.get("Condition")) == ("Allow", None)


@pytest.mark.parametrize("action", ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"])
def test_the_alarms_of_target_tracking_are_left_to_the_service_linked_role(stack: Synthesized, action: str) -> None:
    name = f"{stack.pipeline.name}-production"
    for alarm, granted in ((f"{name}-ServerErrors-1", 1), (f"TargetTracking-endpoint/{name}/variant/primary-1", 0)):
        arn = f"arn:x:cloudwatch:x:x:alarm:{alarm}"
        assert len(list(covering(stack.policy("-deploy-production"), action, arn))) == granted


@pytest.mark.parametrize("action", ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"])
@pytest.mark.parametrize(("ours", "theirs"), [STAGES, STAGES[::-1]])
def test_the_probes_reach_no_alarm_of_the_other_endpoint(
    stack: Synthesized, action: str, ours: str, theirs: str
) -> None:
    name = stack.pipeline.name
    for alarm in (f"{name}-{theirs}-ServerErrors-1", f"TargetTracking-endpoint/{name}-{theirs}/variant/primary-1", "x"):
        assert list(covering(stack.policy(f"-deploy-{ours}"), action, f"arn:x:cloudwatch:x:x:alarm:{alarm}")) == []


@pytest.mark.parametrize(
    "verb", ["CreateEndpoint", "UpdateEndpoint", "DeleteEndpoint", "UpdateEndpointWeightsAndCapacities", "AddTags"]
)
@pytest.mark.parametrize(("ours", "theirs"), [STAGES, STAGES[::-1]])
def test_each_role_changes_its_own_endpoint_alone(stack: Synthesized, verb: str, ours: str, theirs: str) -> None:
    statements, action = stack.policy(f"-deploy-{ours}"), f"sagemaker:{verb}"
    name = stack.pipeline.name
    own = covering(statements, action, f"arn:x:sagemaker:x:x:endpoint/{name}-{ours}")
    assert {one["Effect"] for one in own} == {"Allow"}
    other = {one["Effect"] for one in covering(statements, action, f"arn:x:sagemaker:x:x:endpoint/{name}-{theirs}")}
    assert other <= {"Deny"} or other == {"Allow", "Deny"}


@pytest.mark.parametrize("stage", STAGES)
def test_models_and_configurations_are_told_by_their_tag(stack: Synthesized, stage: str) -> None:
    name = stack.pipeline.name
    for kind, verb in (("model", "DeleteModel"), ("endpoint-config", "DeleteEndpointConfig")):
        arn = f"arn:x:sagemaker:x:x:{kind}/theirs"
        (delete,) = covering(stack.policy(f"-deploy-{stage}"), f"sagemaker:{verb}", arn)
        assert delete["Condition"] == {"StringEquals": {"aws:ResourceTag/mlops:pipeline": name}}
    create = next(covering(stack.policy(f"-deploy-{stage}"), "sagemaker:CreateModel", "arn:x:sagemaker:x:x:model/m"))
    assert create["Condition"] == {
        "StringEquals": {"aws:RequestTag/mlops:pipeline": name},
        "Bool": {"sagemaker:NetworkIsolation": "true"},
    }


def test_the_templates_set_the_tag_that_the_role_asks_for() -> None:
    resources = endpoint_template(Endpoint.for_production(), tags={"mlops:pipeline": "p"})["Resources"]
    for kind in ("Model", "EndpointConfig"):
        assert {"Key": "mlops:pipeline", "Value": "p"} in resources[kind]["Properties"]["Tags"]


@pytest.mark.parametrize("stage", STAGES)
def test_only_variants_of_endpoints_are_scaled(stack: Synthesized, stage: str) -> None:
    register = next(
        one
        for one in stack.policy(f"-deploy-{stage}")
        if "application-autoscaling:RegisterScalableTarget" in listed(one["Action"])
    )
    assert register["Condition"]["StringEquals"] == {
        "application-autoscaling:service-namespace": "sagemaker",
        "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
    }


def stack_statements(stack: Synthesized, action: str, stage: str) -> list[dict[str, Any]]:
    arn = f"arn:x:cloudformation:x:x:stack/{stack.pipeline.name}-{stage}/1"
    (policy,) = [
        policy
        for policy in pipeline_policies(stack).values()
        if any("cloudformation:ExecuteChangeSet" in listed(one["Action"]) for one in policy)
    ]
    return list(covering(policy, f"cloudformation:{action}", arn))


def pipeline_policies(stack: Synthesized) -> dict[str, list[dict[str, Any]]]:
    return {id_: json.loads(one["policy"])["Statement"] for id_, one in stack.all("aws_iam_role_policy").items()}


@pytest.mark.parametrize("action", ["CreateStack", "UpdateStack", "DeleteStack"])
def test_the_pipeline_changes_production_by_a_change_set_only(stack: Synthesized, action: str) -> None:
    assert stack_statements(stack, action, "production") == []
    assert len(stack_statements(stack, action, "dev")) == 1


@pytest.mark.parametrize(
    ("action", "stage"), [("CreateStack", "dev"), ("UpdateStack", "dev"), ("CreateChangeSet", "production")]
)
def test_a_stack_is_deployed_with_its_own_role(stack: Synthesized, action: str, stage: str) -> None:
    (statement,) = stack_statements(stack, action, stage)
    arn = statement["Condition"]["ArnEquals"]["cloudformation:RoleArn"]
    role = next(
        role["name"] for id_, role in stack.all("aws_iam_role").items() if arn == f"${{aws_iam_role.{id_}.arn}}"
    )
    assert role.startswith(f"{stack.pipeline.name}-deploy-{stage}-")


def test_each_endpoint_serves_with_its_own_role(stack: Synthesized) -> None:
    roles = {stage: parameters["ExecutionRoleArn"] for stage, parameters in parameters_of(stack).items()}
    assert len(set(roles.values())) == 2
    for stage in STAGES:
        (capture,) = [one for one in stack.policy(f"-model-{stage}") if "s3:PutObject" in listed(one["Action"])]
        assert capture["Resource"].endswith(f"/capture/{stack.pipeline.name}/{stage}/*")


def parameters_of(stack: Synthesized) -> dict[str, dict[str, str]]:
    return stack.pipeline.deployment.stack_parameters


@pytest.mark.parametrize("stage", STAGES)
def test_an_endpoint_gets_no_other_instance_types_than_allowed(stage: str) -> None:
    limits = EndpointLimits(instance_types=["ml.c5.large"])
    wide = synth(dataset=Dataset(requests=Requests(**{stage: limits})))
    for one in STAGES:
        types = ["ml.m5.large", *(["ml.c5.large"] if one == stage else [])]
        (create,) = (
            statement
            for statement in wide.policy(f"-deploy-{one}")
            if statement["Action"] == "sagemaker:CreateEndpointConfig"
        )
        assert create["Condition"]["ForAllValues:StringEquals"] == {"sagemaker:InstanceTypes": types}
        assert create["Condition"]["Null"] == {"sagemaker:InstanceTypes": "false"}


@pytest.mark.parametrize(("rollout", "reads"), [(Rollout(), True), (None, False)])
def test_alarms_are_read_only_to_roll_back(rollout: Rollout | None, reads: bool) -> None:
    policy = synth(production=Endpoint(initial_instance_count=2, rollout=rollout)).policy("-model-production")
    assert any(one["Action"] == "cloudwatch:DescribeAlarms" for one in policy) is reads
