"""What CloudFormation's handlers need, against the registry's schemas that cfn-lint ships."""

from __future__ import annotations

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER
from local_aws.iam.reference import compare

from mlops_constructs.local_aws.iam.calls import Site
from mlops_constructs.local_aws.iam.handlers import HANDLERS, handler_checks

_SITE = Site("aws", "us-east-1", "123456789012")
_KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_ROLE = "arn:aws:iam::123456789012:role/iris"
_EVERY_PROPERTY = {
    "ExecutionRoleArn": _ROLE,
    "KmsKeyId": _KEY,
    "PredictiveScalingPolicyConfiguration": {},
    "RoleARN": _ROLE,
    "ScheduledActions": [],
}
_VERBS = ("create", "read", "update", "delete")


def _registry(resource_type: str) -> dict[str, dict[str, list[str]]]:
    return PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema["handlers"]


@pytest.mark.parametrize("resource_type", HANDLERS)
@pytest.mark.parametrize("verb", _VERBS)
def test_the_table_lists_what_the_registry_lists(resource_type, verb):
    assert set(getattr(HANDLERS[resource_type], verb)) == set(_registry(resource_type)[verb]["permissions"])


@pytest.mark.parametrize("resource_type", HANDLERS)
def test_what_a_property_makes_necessary_is_a_property_of_the_type(resource_type):
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema["properties"]
    listed = {action for verb in _VERBS for action in getattr(HANDLERS[resource_type], verb)}

    for action, name in HANDLERS[resource_type].unless.items():
        assert action in listed
        assert not name or name in schema


@pytest.mark.parametrize("resource_type", HANDLERS)
@pytest.mark.parametrize("verb", _VERBS)
def test_a_handler_asks_for_what_the_reference_knows(resource_type, verb):
    checks = handler_checks(resource_type, verb, "iris", _EVERY_PROPERTY, _SITE)

    assert checks
    for check in checks:
        compare(check)


def test_an_action_is_asked_for_only_with_the_property_that_makes_it_necessary():
    def asked(properties: dict) -> list[str]:
        return [check.action for check in handler_checks("AWS::SageMaker::Model", "create", "m", properties, _SITE)]

    assert "iam:PassRole" in asked({"ExecutionRoleArn": _ROLE})
    assert "iam:PassRole" not in asked({})


def test_an_alarm_of_a_stack_is_tagged():
    actions = [check.action for check in handler_checks("AWS::CloudWatch::Alarm", "create", "a", {}, _SITE)]

    assert "cloudwatch:TagResource" in actions


def test_a_type_in_no_table_asks_for_nothing():
    assert handler_checks("AWS::S3::Bucket", "create", "b", {}, _SITE) == ()
