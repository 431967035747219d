"""A synthesized stack, whose references are resolved to the names that its resources get in the local AWS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = "123456789012"

_REFERENCE = re.compile(r"\$\{([a-z0-9_.]+?)\.([A-Za-z0-9_-]+)\.([a-z_0-9]+)\}")
_LOCAL = re.compile(r"\$\{local\.[A-Za-z0-9_]+\}")
# Argument that is the name, and what precedes it in the ARN.
_NAMES = {
    "aws_cloudwatch_event_rule": ("name", "events", "rule/"),
    "aws_cloudwatch_log_group": ("name", "logs", "log-group:"),
    "aws_codebuild_project": ("name", "codebuild", "project/"),
    "aws_codecommit_repository": ("repository_name", "codecommit", ""),
    "aws_codepipeline": ("name", "codepipeline", ""),
    "aws_ecr_repository": ("name", "ecr", "repository/"),
    "aws_kms_key": ("description", "kms", "key/"),
    "aws_lambda_function": ("function_name", "lambda", "function:"),
    "aws_sagemaker_model_package_group": ("model_package_group_name", "sagemaker", "model-package-group/"),
    "aws_sns_topic": ("name", "sns", ""),
    "aws_sqs_queue": ("name", "sqs", ""),
    "aws_ssm_parameter": ("name", "ssm", "parameter"),
}


class Stack:
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
                break
            value = filled
        # What Terraform computes is an account of AWS, which is steadied like other digits.
        return _LOCAL.sub("HEX", value)

    def arn(self, kind: str, id_: str) -> str:
        """Give the ARN of a resource."""
        one = self.resources[kind][id_]
        if kind == "aws_s3_bucket":
            return f"arn:aws:s3:::{self._bucket(one)}"
        if kind == "aws_iam_role":
            return f"arn:aws:iam::{ACCOUNT}:role{one.get('path', '/')}{self.text(one['name'])}"
        if kind == "aws_codestarconnections_connection":
            return f"arn:aws:codestar-connections:{self.region}:{ACCOUNT}:connection/ID"
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
        return self._bucket(one) if kind == "aws_s3_bucket" else str(one["name"])

    def _bucket(self, one: Mapping[str, Any]) -> str:
        """Name a bucket; Terraform ends a name that has only a prefix with digits."""
        return self.text(one["bucket"]) if "bucket" in one else f"{one['bucket_prefix']}HEX"
