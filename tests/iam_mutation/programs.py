"""The policies of a synthesized stack, with the names that its resources get in the local AWS."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from iam_mutation.pipelines import pipelines_of
from iam_mutation.requests import steady
from iam_mutation.stacks import ACCOUNT, Stack
from mlops_constructs.local_aws.iam.documents import Policy, PolicyKind
from mlops_constructs.local_aws.iam.evaluate import Policies, evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from iam_mutation.pipelines import Pipeline
    from iam_mutation.requests import Recorded
    from mlops_constructs.local_aws.iam.decision import Decision
    from mlops_constructs.local_aws.iam.request import Request

_PULLED_BY_ALL = Policy.parse(
    "a repository of AWS",
    PolicyKind.RESOURCE,
    json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["ecr:Batch*", "ecr:Get*"], "Resource": "*"}],
        }
    ),
)


@dataclass
class Program:
    """The policies of one stack.

    Attributes:
        roles: Role's ARN to its policies.
        trusts: Role's ARN to its trust policy.
        resources: ARN to the policy of a bucket, key, topic, queue or function.
        pipelines: The ML pipelines.
        region: Region of the stack.
    """

    roles: dict[str, tuple[Policy, ...]] = field(default_factory=dict)
    trusts: dict[str, Policy] = field(default_factory=dict)
    resources: dict[str, Policy] = field(default_factory=dict)
    pipelines: tuple[Pipeline, ...] = ()
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
        # A role that nothing is attached to is one that a central team has made for what no pipeline here does.
        trusts = (policy for arn, policy in self.trusts.items() if self.roles[arn])
        return (*identity, *trusts, *self.resources.values())

    def concerns(self, one: Recorded) -> bool:
        """Whether a request is of a role that the stack makes, or of a service on one of its resources."""
        if one.principal.startswith("arn:"):
            return one.principal in self.roles
        owner = one.resource.partition("/")[0] if ":s3:::" in one.resource else one.resource
        return one.resource in self.trusts or owner in self.resources

    def owner(self, text: str) -> Pipeline:
        """Give the pipeline that a text names most of."""
        return min(self.pipelines, key=lambda pipeline: pipeline.unnamed(text))

    def generic(self, text: str) -> str:
        """Put placeholders in the place of the names of the pipeline that a text is about."""
        return self.owner(text).generic(text)

    def _resource(self, request: Request) -> Policy | None:
        if request.action.lower().startswith("sts:assumerole"):
            return self.trusts.get(request.resource)
        owner = request.resource.partition("/")[0] if ":s3:::" in request.resource else request.resource
        return _PULLED_BY_ALL if _is_foreign_repository(owner) else self.resources.get(owner)


def _is_foreign_repository(arn: str) -> bool:
    return arn.startswith("arn:aws:ecr:") and f":{ACCOUNT}:" not in arn


def read_program(stack: Path) -> Program:
    """Read the policies of a stack from its folder."""
    return program_of(json.loads((stack / "cdk.tf.json").read_text()))


def program_of(document: Mapping[str, Any]) -> Program:
    """Read the policies of a synthesized stack."""
    stack = Stack(document)
    program = Program(region=stack.region)
    by_name: dict[str, str] = {}
    for id_, role in stack.all("aws_iam_role").items():
        arn = stack.arn("aws_iam_role", id_)
        by_name[arn.rsplit("/", 1)[-1]] = arn
        program.roles[arn] = ()
        trust = stack.text(role["assume_role_policy"])
        program.trusts[arn] = Policy.parse(f"{arn} trust", PolicyKind.TRUST, trust)
    for id_, one in stack.all("aws_iam_role_policy").items():
        name = stack.text(one["role"])
        arn = by_name.get(name, f"arn:aws:iam::{ACCOUNT}:role/{name}")
        text = steady(stack.text(one["policy"]))
        policy = Policy.parse(f"{arn} {one.get('name', id_)}", PolicyKind.IDENTITY, text)
        program.roles[arn] = (*program.roles.get(arn, ()), policy)
    for arn, text in _resource_policies(stack).items():
        program.resources[arn] = Policy.parse(arn, PolicyKind.RESOURCE, text)
    program.pipelines = tuple(pipelines_of(stack, program.roles))
    return program


def _resource_policies(stack: Stack) -> dict[str, str]:
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


def _permission(stack: Stack, id_: str, one: Mapping[str, Any]) -> dict[str, Any]:
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
