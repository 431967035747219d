"""The ARN that a resource of the stack will have, for the authorization of an action."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .stack import Identity, Resource, SynthesizedStack

# The ARN after `arn:PARTITION:`; braces contain the account, the region, or an argument of the resource.
_FORMS: Mapping[str, str] = {
    "aws_budgets_budget": "budgets::{account}:budget/{name}",
    "aws_cloudwatch_dashboard": "cloudwatch::{account}:dashboard/{dashboard_name}",
    "aws_cloudwatch_event_rule": "events:{region}:{account}:rule/{name}",
    "aws_cloudwatch_event_target": "events:{region}:{account}:rule/{rule}",
    "aws_cloudwatch_log_group": "logs:{region}:{account}:log-group:{name}",
    "aws_cloudwatch_metric_alarm": "cloudwatch:{region}:{account}:alarm:{alarm_name}",
    "aws_codebuild_project": "codebuild:{region}:{account}:project/{name}",
    "aws_codecommit_repository": "codecommit:{region}:{account}:{repository_name}",
    "aws_codepipeline": "codepipeline:{region}:{account}:{name}",
    "aws_codestarconnections_connection": "codestar-connections:{region}:{account}:connection/new",
    "aws_ecr_repository": "ecr:{region}:{account}:repository/{name}",
    "aws_iam_role": "iam::{account}:role{path}{name}",
    "aws_iam_role_policy": "iam::{account}:role/{role}",
    "aws_lambda_function": "lambda:{region}:{account}:function:{function_name}",
    "aws_lambda_invocation": "lambda:{region}:{account}:function:{function_name}",
    "aws_lambda_permission": "lambda:{region}:{account}:function:{function_name}",
    "aws_sagemaker_code_repository": "sagemaker:{region}:{account}:code-repository/{code_repository_name}",
    "aws_sagemaker_model_package_group": "sagemaker:{region}:{account}:model-package-group/{model_package_group_name}",
    "aws_sagemaker_notebook_instance": "sagemaker:{region}:{account}:notebook-instance/{name}",
    "aws_sagemaker_notebook_instance_lifecycle_configuration": (
        "sagemaker:{region}:{account}:notebook-instance-lifecycle-config/{name}"
    ),
    "aws_sns_topic": "sns:{region}:{account}:{name}",
    "aws_sqs_queue": "sqs:{region}:{account}:{name}",
    "aws_ssm_parameter": "ssm:{region}:{account}:parameter{name}",
}
# The id of a key is known only after it is created.
_KEY = "kms:{region}:{account}:key/00000000-0000-0000-0000-000000000000"
_BUCKET, _OBJECT = "s3:::{bucket}", "s3:::{bucket}/{key}"
_FIELD = re.compile(r"\{(\w+)\}")
_UNKNOWN = "unknown"


def arn_for(action: str, resource: Resource, stack: SynthesizedStack, identity: Identity) -> str:
    """The ARN on which an action is authorized when Terraform creates, reads, updates or deletes a resource.

    Parts that are known only after the apply (a key's id, a bucket's generated name) get a placeholder; ``*`` where no
    ARN is known.
    """
    service, _, operation = action.partition(":")
    if service == "kms":
        form = _KEY
    elif service == "s3":
        form = _OBJECT if "Object" in operation and "Bucket" not in operation else _BUCKET
    else:
        form = _FORMS.get(resource.type, "")
    if not form:
        return "*"
    known = {"account": identity.account_id, "region": identity.region}

    def fill(match: re.Match[str]) -> str:
        return known.get(match[1]) or _argument(match[1], resource, stack, identity)

    return f"arn:{identity.partition}:{_FIELD.sub(fill, form)}"


def _argument(name: str, resource: Resource, stack: SynthesizedStack, identity: Identity) -> str:
    if name == "path":
        return str(resource.arguments.get("path") or "/")
    if prefix := stack.text(resource.arguments.get(f"{name}_prefix"), identity):
        return f"{prefix}{_UNKNOWN}"
    return stack.text(resource.arguments.get(name), identity) or _UNKNOWN
