"""The policies of a synthesized stack, with the names that its resources get in the local AWS."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from iam_mutation.requests import ACCOUNT
from mlops_constructs.local_aws.iam.documents import Policy, PolicyKind
from mlops_constructs.local_aws.iam.evaluate import Policies, evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_constructs.local_aws.iam.decision import Decision
    from mlops_constructs.local_aws.iam.request import Request

_REFERENCE = re.compile(r"\$\{([a-z0-9_.]+?)\.([A-Za-z0-9_-]+)\.([a-z_0-9]+)\}")
# Argument that is the name, and what precedes it in the ARN.
_NAMES = {
    "aws_cloudwatch_event_rule": ("name", "events", "rule/"),
    "aws_cloudwatch_log_group": ("name", "logs", "log-group:"),
    "aws_codebuild_project": ("name", "codebuild", "project/"),
    "aws_codecommit_repository": ("repository_name", "codecommit", ""),
    "aws_codepipeline": ("name", "codepipeline", ""),
    "aws_codestarconnections_connection": ("name", "codestar-connections", "connection/"),
    "aws_ecr_repository": ("name", "ecr", "repository/"),
    "aws_kms_key": ("description", "kms", "key/"),
    "aws_lambda_function": ("function_name", "lambda", "function:"),
    "aws_sagemaker_model_package_group": ("model_package_group_name", "sagemaker", "model-package-group/"),
    "aws_sns_topic": ("name", "sns", ""),
    "aws_sqs_queue": ("name", "sqs", ""),
    "aws_ssm_parameter": ("name", "ssm", "parameter"),
}


@dataclass
class Program:
    """The policies of one stack.

    Attributes:
        roles: Role's ARN to its policies.
        trusts: Role's ARN to its trust policy.
        resources: ARN to the policy of a bucket, key, topic, queue or function.
        pipelines: Names of the ML pipelines.
        region: Region of the stack.
    """

    roles: dict[str, tuple[Policy, ...]] = field(default_factory=dict)
    trusts: dict[str, Policy] = field(default_factory=dict)
    resources: dict[str, Policy] = field(default_factory=dict)
    pipelines: tuple[str, ...] = ()
    region: str = "us-east-1"

    def decide(self, request: Request) -> Decision:
        """Judge a request."""
        return evaluate(request, self.policies(request))

    def policies(self, request: Request) -> Policies:
        """Give the policies that concern a request."""
        return Policies(identity=self.roles.get(request.principal.role_arn, ()), resource=self._resource(request))

    def all_policies(self) -> tuple[Policy, ...]:
        """Give every policy of the stack."""
        identity = (policy for policies in self.roles.values() for policy in policies)
        return (*identity, *self.trusts.values(), *self.resources.values())

    def _resource(self, request: Request) -> Policy | None:
        if request.action.lower().startswith("sts:assumerole"):
            return self.trusts.get(request.resource)
        owner = request.resource.partition("/")[0] if ":s3:::" in request.resource else request.resource
        return self.resources.get(owner)


class _Document:
    """A synthesized stack, whose references can be resolved."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.resources: dict[str, dict[str, Any]] = document["resource"]
        self.region: str = document["provider"]["aws"][0].get("region", "us-east-1")
        region = self.region
        self._data = {"account_id": ACCOUNT, "partition": "aws", "name": region, "region": region, "id": region}

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        return self.resources.get(kind, {})

    def text(self, value: str) -> str:
        """Fill in the references of a text."""
        while "${" in value:
            filled = _REFERENCE.sub(lambda found: self._attribute(*found.groups()), value)
            if filled == value:
                return value
            value = filled
        return value

    def arn(self, kind: str, id_: str) -> str:
        """Give the ARN of a resource."""
        one = self.resources[kind][id_]
        if kind == "aws_s3_bucket":
            return f"arn:aws:s3:::{self.text(one['bucket'])}"
        if kind == "aws_iam_role":
            return f"arn:aws:iam::{ACCOUNT}:role{one.get('path', '/')}{self.text(one['name'])}"
        argument, service, before = _NAMES[kind]
        return f"arn:aws:{service}:{self.region}:{ACCOUNT}:{before}{self.text(one[argument])}"

    def _attribute(self, kind: str, id_: str, attribute: str) -> str:
        if kind.startswith("data."):
            return self._data[attribute]
        one = self.resources[kind][id_]
        if attribute == "arn":
            return self.arn(kind, id_)
        if attribute in one:
            return str(one[attribute])
        argument = "bucket" if kind.startswith("aws_s3_bucket") else "name"
        return str(one[argument])


def read_program(stack: Path) -> Program:
    """Read the policies of a stack from its folder."""
    return program_of(json.loads((stack / "cdk.tf.json").read_text()))


def program_of(document: Mapping[str, Any]) -> Program:
    """Read the policies of a synthesized stack."""
    stack = _Document(document)
    named = (stack.text(one["name"]) for one in stack.all("aws_codepipeline").values())
    program = Program(pipelines=tuple(name for name in named if not name.endswith("-image")), region=stack.region)
    by_name: dict[str, str] = {}
    for id_, role in stack.all("aws_iam_role").items():
        arn = stack.arn("aws_iam_role", id_)
        by_name[arn.rsplit("/", 1)[-1]] = arn
        trust = stack.text(role["assume_role_policy"])
        program.roles[arn] = ()
        program.trusts[arn] = Policy.parse(f"{arn.rsplit('/', 1)[-1]} trust", PolicyKind.TRUST, trust)
    for inline in stack.all("aws_iam_role_policy").values():
        name = stack.text(inline["role"])
        arn = by_name.get(name, f"arn:aws:iam::{ACCOUNT}:role/{name}")
        policy = Policy.parse(f"{name} {inline['name']}", PolicyKind.IDENTITY, stack.text(inline["policy"]))
        program.roles[arn] = (*program.roles.get(arn, ()), policy)
    for arn, text in _resource_policies(stack).items():
        program.resources[arn] = Policy.parse(arn.rsplit(":", 1)[-1], PolicyKind.RESOURCE, text)
    return program


def _resource_policies(stack: _Document) -> dict[str, str]:
    found = {}
    for kind, owner in (("aws_s3_bucket_policy", "bucket"), ("aws_sns_topic_policy", "arn")):
        for one in stack.all(kind).values():
            named = stack.text(one[owner])
            arn = named if named.startswith("arn:") else f"arn:aws:s3:::{named}"
            found[arn] = stack.text(one["policy"])
    for kind in ("aws_kms_key", "aws_sns_topic", "aws_sqs_queue"):
        for id_, one in stack.all(kind).items():
            arn = stack.arn(kind, id_)
            if "policy" in one:
                found[arn] = stack.text(one["policy"])
            elif kind == "aws_kms_key":
                found[arn] = json.dumps({"Version": "2012-10-17", "Statement": _account_of_key()})
    for one in stack.all("aws_sqs_queue_policy").values():
        name = stack.text(one["queue_url"]).rsplit("/", 1)[-1]
        found[f"arn:aws:sqs:{stack.region}:{ACCOUNT}:{name}"] = stack.text(one["policy"])
    permissions = defaultdict(list)
    for id_, one in stack.all("aws_lambda_permission").items():
        name = stack.text(one["function_name"]).rsplit(":", 1)[-1]
        permissions[f"arn:aws:lambda:{stack.region}:{ACCOUNT}:function:{name}"].append(_permission(stack, id_, one))
    return found | {
        arn: json.dumps({"Version": "2012-10-17", "Statement": statements}) for arn, statements in permissions.items()
    }


def _account_of_key() -> dict[str, Any]:
    """What KMS gives a key that is made without a policy."""
    return {
        "Sid": "Default",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }


def _permission(stack: _Document, id_: str, one: Mapping[str, Any]) -> dict[str, Any]:
    name = stack.text(one["function_name"]).rsplit(":", 1)[-1]
    statement = {
        "Sid": id_,
        "Effect": "Allow",
        "Principal": {"Service": one["principal"]},
        "Action": one["action"],
        "Resource": f"arn:aws:lambda:{stack.region}:{ACCOUNT}:function:{name}",
    }
    if "source_arn" in one:
        statement["Condition"] = {"ArnLike": {"aws:SourceArn": stack.text(one["source_arn"])}}
    return statement
