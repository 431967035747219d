"""Write ``security.md`` from the policies of ``main.py``: ``python docs/generate_security.py``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "security.md"
_PIPELINE = "iris-996e98"

_INTRODUCTION = """\
# Security

Who may do what, in the stack of `main.py`. Each AWS service, and each Lambda function, has a role of its own
with one inline policy. This page is made from the synthesized policies by `make docs`.

In the tables, `NAME` is the name of the pipeline, `ARTIFACTS` and `DATA` are its buckets, `KEY` is its KMS
key; ARNs begin after the account. A condition stands in brackets.

"""

_UNPROVEN = """\
## What is proven, and how

- `mlops rehearse` holds every call of every role against these policies, by AWS's evaluation logic, and
  against AWS's lists of what its services do by themselves with a role. The evaluation agrees with an
  independent engine on more than 1,000 cases.
- `make mutate-iam` drops each action, narrows each resource and flips each condition, one at a time, in every
  policy of `main.py` and of the examples. Something that a rehearsal asked for, that AWS's lists name, or
  that must be denied notices each change; the exceptions stand in `tests/iam_mutation/exceptions.py`, each
  with its reason.
- A corpus of calls that no role may make, among them escalation, destruction and what belongs to another
  pipeline, is denied by these policies (`tests/iam_mutation/negative.py`, `tests/iam_mutation/aimed.py`).

## What stays unproven without an account

- Whether SageMaker still sends `sagemaker:OutputKmsKey` and `VolumeKmsKey` beside their new names: both are
  accepted.
- Whether a service sends `aws:SourceAccount` or `aws:SourceArn` where AWS's pages do not say so: trust
  policies ask for them only where they do.
- Whether CloudFormation's handlers call more than the registry's schemas list, and with which tags at which
  moment.
- Which pattern SageMaker holds `ListModelPackages` of one group against: the action is allowed on `*`.
- Which names Application Auto Scaling tries when it validates the caller; public reports say random ones.
- Grants of KMS, service control policies, and the policies of resources in other accounts.
"""

_ROLES = {
    "approval": "asks the approver",
    "build": "builds the algorithm's image",
    "check-dataset": "checks a data set before anything is paid for",
    "deploy-dev": "changes the DEV stack, as CloudFormation",
    "deploy-production": "changes the production stack, as CloudFormation",
    "evaluate-model": "judges a model before it may be approved",
    "evaluation": "runs the evaluation's container",
    "gather-evidence": "collects what the approver reads",
    "image-pipeline": "runs the image pipeline",
    "model-dev": "runs the model's container in DEV",
    "model-production": "runs the model's container in production",
    "model": "runs the model's container",
    "deploy": "changes the endpoints' stacks, as CloudFormation",
    "notebook": "works in the notebook",
    "pipeline": "runs the ML pipeline",
    "record-decision": "writes down what the approver decided",
    "record-release": "writes down what was released",
    "register-model": "registers a trained model",
    "seed-repository": "makes the first commit",
    "smoke-test-dev": "asks the DEV endpoint golden records",
    "smoke-test-production": "asks the production endpoint golden records",
    "start-image-pipeline": "starts the image pipeline on a push, as EventBridge",
    "start-pipeline": "starts the ML pipeline on an upload, as EventBridge",
    "stop-training": "stops what a stopped execution left running",
    "train-model": "starts training, and waits for it",
    "training": "runs the training container",
}
"""Purpose of a role to what it is for."""

_WHY = (
    (r"^codepipeline:PutJob", "tells CodePipeline the result; the action takes no resource"),
    (r"^codepipeline:StartPipelineExecution", "starts this pipeline"),
    (r"^codepipeline:", "reads its own pipeline's executions"),
    (r"^xray:", "sends its traces; the action takes no resource"),
    (r"^logs:", "writes its own log"),
    (r"^sqs:SendMessage", "puts an event that it could not do into the dead-letter queue"),
    (r"^kms:CreateGrant", "lets SageMaker open encrypted volumes"),
    (r"^kms:", "reads and writes what the pipeline's key encrypts"),
    (r"^ecr:GetAuthorizationToken", "logs in to the registry; the action takes no resource"),
    (r"^ecr:.*(PutImage|UploadLayerPart)", "pushes the image"),
    (r"^ecr:", "pulls the image, or reads its digest"),
    (r"^cloudwatch:PutMetricData", "sends the job's metrics; the action takes no resource"),
    (r"^cloudwatch:DescribeAlarms", "looks at the alarms of a rollout; the action takes no single alarm"),
    (r"^cloudwatch:(DeleteAlarms,)?PutMetricAlarm|^cloudwatch:DeleteAlarms", "keeps the endpoint's alarms"),
    (r"^application-autoscaling:Describe", "reads scaling; the actions take no resource"),
    (r"^application-autoscaling:", "keeps the endpoint's scaling"),
    (r"^iam:CreateServiceLinkedRole", "makes the service's own role at the first scaled endpoint of the account"),
    (r"^iam:PassRole", "hands exactly this role to exactly this service"),
    (r"^sns:Publish", "tells the approvers"),
    (r"^ssm:PutParameter", "writes which image the next training uses"),
    (r"^ssm:GetParameter", "reads which image to use"),
    (r"^codecommit:", "reads or writes the algorithm's repository"),
    (r"^codebuild:", "runs the build"),
    (r"^lambda:InvokeFunction", "runs the functions of its actions"),
    (r"^cloudformation:Describe", "reads the endpoints' stacks"),
    (r"^cloudformation:", "changes the endpoints' stacks"),
    (r"^s3:(GetBucket|ListBucket)", "looks at the bucket, or sees that an object is missing"),
    (r"^s3:", "reads or writes its own folders"),
    (r"^sagemaker:(Describe|List)", "reads its own jobs, models and endpoints"),
    (r"^sagemaker:.*(ModelPackage)", "registers a model, or marks it"),
    (r"^sagemaker:.*(TrainingJob|TuningJob|ProcessingJob)", "starts or stops its own jobs, within bounds"),
    (r"^sagemaker:StopNotebookInstance", "stops itself when idle"),
    (r"^sagemaker:", "keeps its own models and endpoints"),
)
"""Pattern of a statement's actions to why it is there; the first that matches."""


def page() -> str:
    """Give the whole page."""
    document = _synthesized()
    sections = [_INTRODUCTION, _roles(document), _UNPROVEN]
    return "\n".join(section.rstrip("\n") + "\n" for section in sections)


def _synthesized() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="security-") as output:
        environment = {**os.environ, "CDKTF_OUTDIR": output}
        subprocess.run([sys.executable, "main.py"], cwd=ROOT, env=environment, check=True, capture_output=True)
        (stack,) = (Path(output) / "stacks").iterdir()
        document: dict[str, Any] = json.loads((stack / "cdk.tf.json").read_text())
        return document


def _roles(document: Mapping[str, Any]) -> str:
    roles, policies = document["resource"]["aws_iam_role"], document["resource"]["aws_iam_role_policy"]
    made = {id_: _purpose(role["name"]) for id_, role in roles.items()}
    lines = ["## Roles", ""]
    for id_, purpose in sorted(made.items(), key=lambda one: one[1]):
        trust = json.loads(roles[id_]["assume_role_policy"])["Statement"][0]
        bound = f" {_conditions(trust)}" if "Condition" in trust else ""
        lines += [
            f"### {purpose}",
            "",
            f"{_ROLES[purpose].capitalize()}. Assumed by `{trust['Principal']['Service']}`{bound}.",
        ]
        lines += ["", "| Actions | Resources | Why |", "|---|---|---|"]
        (policy,) = (one["policy"] for one in policies.values() if f"aws_iam_role.{id_}." in one["role"])
        lines += [*_rows(json.loads(policy)["Statement"]), ""]
    return "\n".join(lines)


def _purpose(name: str) -> str:
    return name.removeprefix(f"{_PIPELINE}-").partition("-${")[0]


def _rows(statements: list[dict[str, Any]]) -> Iterator[str]:
    for statement in statements:
        actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
        why = next(reason for pattern, reason in _WHY if re.search(pattern, ",".join(actions)))
        if statement["Effect"] == "Deny":
            why = "denied: belongs to the other endpoint"
        where = ", ".join(f"`{_short(resource)}`" for resource in resources)
        condition = f" {_conditions(statement)}" if "Condition" in statement else ""
        yield f"| {', '.join(f'`{action}`' for action in actions)} | {where}{condition} | {why} |"


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _conditions(statement: Mapping[str, Any]) -> str:
    told = [
        f"{operator} {key} = {', '.join(_short(str(value)) for value in _listed(values))}"
        for operator, keys in statement["Condition"].items()
        for key, values in keys.items()
    ]
    return f"[{'; '.join(told)}]"


_WORDS = (
    (re.compile(r"\$\{aws_s3_bucket[a-z_]*\.[a-z_]*artifacts[A-Za-z0-9_]*\.[a-z]+\}"), "ARTIFACTS"),
    (re.compile(r"\$\{aws_s3_bucket[a-z_]*\.[a-z_]*data[A-Za-z0-9_]*\.[a-z]+\}"), "DATA"),
    (re.compile(r"\$\{aws_kms_key\.[^}]+\}"), "KEY"),
    (re.compile(r"\$\{aws_iam_role\.iris_([a-z_]+?)_(role_)?[0-9A-F]{8}\.[a-z]+\}"), r"role \1"),
    (re.compile(r"\$\{aws_([a-z]+)_[a-z_]+\.iris_([a-z_]+?)_(function_)?[0-9A-F]{8}\.[a-z]+\}"), r"\1 \2"),
    (re.compile(r"\$\{data\.aws_caller_identity[^}]+\}"), "ACCOUNT"),
    (re.compile(r"arn:\$\{data\.aws_partition[^}]+\}:([a-z0-9-]+):[^:]*:[^:]*:"), r"\1:"),
    (re.compile(r"\$\{data\.aws_region[^}]+\}"), "REGION"),
    (re.compile(r"[0-9a-f]{64}"), "HASH"),
    (re.compile(rf"{_PIPELINE}"), "NAME"),
)


def _short(text: str) -> str:
    for pattern, word in _WORDS:
        text = pattern.sub(word, text)
    return text


if __name__ == "__main__":
    PAGE.write_text(page())
