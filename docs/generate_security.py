"""Write ``security.md`` from the policies of ``main.py``, and of the examples that have more roles."""

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
_PIPELINE = r"(?:iris|parcels)-[0-9a-f]{6}"

_INTRODUCTION = """\
# Security

What each role may do, in the stack of `main.py`, and which roles A/B tests add. Each AWS service, and each Lambda
function, has its own role with one inline policy. This page is generated from the synthesized policies by `make docs`.

In the tables, `NAME` is the name of the pipeline, `ARTIFACTS` and `DATA` are its buckets, `KEY` is its KMS
key; ARNs are shown without the part up to the account. Conditions are in brackets.

"""

_MODES = """\
## Modes of serving

- **Serverless**: SageMaker does not support network isolation and VPCs for serverless endpoints, so the model's
  container can reach the internet; its role may read the model, and write logs and metrics. `deploy-*` may create
  configurations of at most the configured memory and concurrency, and none with instances; it has no permissions for
  alarms, scaling and volumes. SageMaker keeps a copy of the image, encrypted with a key of its own.
- **Asynchronous**: `model-*` also reads `async/NAME/ENVIRONMENT/input/*` of the artifact bucket, writes `output/*` and
  `failure/*` there, and publishes to the topics that are configured. `smoke-test-*` may call `InvokeEndpointAsync` in
  the place of `InvokeEndpoint`, with requests below `input/smoke-test/*`.

"""

_UNPROVEN = """\
## What is proven, and how

- `mlops rehearse` evaluates every call of every role with these policies, by AWS's evaluation logic, and
  with AWS's lists of the calls that its services make with a role. The evaluation agrees with an
  independent engine on more than 1,000 cases.
- `make mutate-iam` drops each action and each value of a condition, narrows each resource and inverts each
  condition, one at a time, in every policy of `main.py` and of the examples. Each change is detected: by a call that
  a rehearsal made, by a call in AWS's lists or in the tests' list of what functions and services do
  (`tests/iam_mutation/calls.py`), or by a call that must be denied. The exceptions are in
  `tests/iam_mutation/exceptions.py`, each with its reason.
- These policies deny a corpus of calls that no role may make, among them privilege escalation, destruction and
  access to another pipeline's resources (`tests/iam_mutation/negative.py`, `tests/iam_mutation/aimed.py`).

## What cannot be proven without an account

- Whether SageMaker still sends `sagemaker:OutputKmsKey` and `VolumeKmsKey` in addition to their new names: the
  policies accept both.
- Whether a service sends `aws:SourceAccount` or `aws:SourceArn` where AWS's pages do not say so: trust
  policies require them only where they do.
- Whether CloudFormation's handlers call more than the registry's schemas list, and with which tags at which
  moment.
- Against which resource SageMaker authorizes `ListModelPackages` of one group: the action is allowed on `*`.
- Whether SageMaker sends `kms:ViaService` when it creates a grant with a role, and whether CodePipeline uses the
  key only through S3: AWS's pages do not say so, and these statements have no such condition.
- Whether CodeBuild uses a project's key only to encrypt what a build writes, as its page says: the build writes no
  artifact, so its role may only decrypt.
- Whether SageMaker lists the folders of an asynchronous endpoint: AWS's page allows `s3:ListBucket` on objects only,
  where it has no effect, and the role may not list.
- Which names Application Auto Scaling uses when it validates the caller; public reports say random ones.
- What KMS grants allow, service control policies, and the policies of resources in other accounts.
"""

_AB_TESTS = """\
## Roles of A/B tests

Only a pipeline with `ab_test` has these, here that of `examples/ab_test`. `abort-ab-test` is the automatic guard's.

"""

_MONITORING = """\
## Roles of monitoring

Only a pipeline with `monitoring` has these, here that of `examples/tabular_retrain`; `retrain` only with `retraining`.

"""

_BATCH = """\
## Roles of batch transform

Only a pipeline with `batch` has these, here that of `examples/batch`.

"""

_ROLES = {
    "abort-ab-test": "gives the champion all requests, and ends the test",
    "approval": "notifies the approver",
    "batch": "runs the model's container in transform jobs",
    "batch-smoke-test": "scores golden records with a candidate",
    "build": "builds the algorithm's image",
    "check-dataset": "checks a data set before training costs anything",
    "deploy-dev": "lets CloudFormation deploy the DEV stack",
    "deploy-production": "lets CloudFormation deploy the production stack",
    "evaluate-model": "evaluates a model before it may be approved",
    "evaluation": "runs the evaluation's container",
    "gather-evidence": "collects what the approver reads",
    "guard-destroy": "refuses a destroy while something would be left",
    "image-pipeline": "runs the image pipeline",
    "judge-ab-test": "joins requests with outcomes, and judges a test",
    "make-baseline": "makes the baseline of a candidate, from its data set and its predictions in DEV",
    "model-dev": "runs the model's container in DEV",
    "model-production": "runs the model's container in production",
    "model": "runs the model's container",
    "deploy": "lets CloudFormation deploy the endpoints' stacks",
    "notify-people": "notifies people of a rollback, and of an approval that waits",
    "notebook": "runs the notebook instance",
    "pipeline": "runs the ML pipeline",
    "place-variants": "places champion and challenger, and begins and ends tests",
    "record-batch": "records how a batch ended",
    "record-decision": "records what the approver decided",
    "record-release": "records what was released",
    "register-model": "registers a trained model",
    "retrain": "starts an execution on new data when an alarm is raised",
    "retire-dev": "deletes the DEV endpoint after the decision",
    "seed-repository": "creates the first commit",
    "smoke-test-dev": "invokes the DEV endpoint with golden records",
    "smoke-test-production": "invokes the production endpoint with golden records",
    "start-batch": "starts a transform job for a file",
    "start-image-pipeline": "lets EventBridge start the image pipeline on a push",
    "start-pipeline": "lets EventBridge start the ML pipeline on an upload",
    "stop-training": "stops the jobs that a stopped execution left running",
    "train-model": "starts training, and waits for it",
    "training": "runs the training container",
    "watch-traffic": "compares what production captures with the training data",
}
"""Purpose of a role to what it is for."""

_WHY = (
    (r"^codepipeline:PutJob", "reports the result to CodePipeline; the action takes no resource"),
    (r"^codepipeline:StartPipelineExecution", "starts this pipeline"),
    (r"^codepipeline:", "reads its own pipeline's executions"),
    (r"^xray:", "sends its traces; the action takes no resource"),
    (r"^logs:", "writes its own log"),
    (r"^sqs:SendMessage", "sends an event that failed to the dead-letter queue"),
    (r"^kms:(CreateGrant|DescribeKey)$", "lets SageMaker use encrypted volumes"),
    (r"^kms:", "reads and writes what the pipeline's key encrypts"),
    (r"^ecr:GetAuthorizationToken", "logs in to the registry; the action takes no resource"),
    (r"^ecr:DescribeImageScanFindings", "reads what ECR's scan of the image has found"),
    (r"^ecr:.*(PutImage|UploadLayerPart)", "pushes the image"),
    (r"^ecr:", "pulls the image, or reads its digest"),
    (r"^cloudwatch:PutMetricData", "sends its metrics; the action takes no resource"),
    (r"^cloudwatch:GetMetricData", "reads requests, errors and latency; the action takes no resource"),
    (r"^cloudwatch:DescribeAlarms", "reads the alarms of a rollout; the action takes no single alarm"),
    (r"^cloudwatch:(DeleteAlarms,)?PutMetricAlarm|^cloudwatch:DeleteAlarms", "manages the endpoint's alarms"),
    (r"^application-autoscaling:Describe", "reads scaling; the actions take no resource"),
    (r"^application-autoscaling:", "manages the endpoint's autoscaling"),
    (
        r"^iam:CreateServiceLinkedRole",
        "creates the service-linked role for the account's first endpoint with autoscaling",
    ),
    (r"^iam:PassRole", "passes exactly this role to exactly this service"),
    (r"^iam:GetRole", "finds out whether a role of the endpoints still exists"),
    (r"^sns:GetTopicAttributes", "finds out whether the topic of the approval still exists"),
    (r"^sns:Publish", "notifies the approvers"),
    (r"^ssm:PutParameter", "writes which image the next training uses"),
    (r"^ssm:GetParameter", "reads which image to use"),
    (r"^codecommit:", "reads or writes the algorithm's repository"),
    (r"^codebuild:", "runs the build"),
    (r"^lambda:InvokeFunction", "runs the functions of its actions"),
    (r"^cloudformation:Describe", "reads the endpoints' stacks"),
    (r"^cloudformation:", "changes the endpoints' stacks"),
    (r"^s3:(GetBucket|ListBucket)", "reads the bucket's settings, or detects that an object is missing"),
    (r"^s3:", "reads or writes its own folders"),
    (r"^sagemaker:.*WeightsAndCapacities$", "reads the endpoint, and changes the weights of its variants"),
    (r"^sagemaker:(Describe|List)", "reads its own jobs, models and endpoints"),
    (r"^sagemaker:.*(ModelPackage)", "registers a model, or sets its status"),
    (r"^sagemaker:.*(TrainingJob|TuningJob|ProcessingJob|TransformJob)", "starts or stops its own jobs, within limits"),
    (r"^sagemaker:StopNotebookInstance", "stops itself when idle"),
    (r"^sagemaker:", "manages its own models and endpoints"),
)
"""Pattern of a statement's actions to why it is there; the first that matches."""


def page() -> str:
    """Give the whole page."""
    document = _synthesized(ROOT)
    names = ("ab_test", "tabular_retrain", "batch")
    of_tests, watched, scoring = (_synthesized(ROOT / "examples" / name) for name in names)
    roles = _roles(document, _purposes(document))
    added = _roles(of_tests, _purposes(of_tests) - _purposes(document))
    watching = _roles(watched, _purposes(watched) - _purposes(document))
    batches = _roles(scoring, _purposes(scoring) - _purposes(document))
    more = [_AB_TESTS + added, _MONITORING + watching, _BATCH + batches]
    sections = [_INTRODUCTION, f"## Roles\n\n{roles}", *more, _MODES, _UNPROVEN]
    return "\n".join(section.rstrip("\n") + "\n" for section in sections)


def _synthesized(folder: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="security-") as output:
        environment = {**os.environ, "CDKTF_OUTDIR": output}
        subprocess.run([sys.executable, "main.py"], cwd=folder, env=environment, check=True, capture_output=True)
        (stack,) = (Path(output) / "stacks").iterdir()
        document: dict[str, Any] = json.loads((stack / "cdk.tf.json").read_text())
        return document


def _purposes(document: Mapping[str, Any]) -> set[str]:
    return {_purpose(role["name"]) for role in document["resource"]["aws_iam_role"].values()}


def _roles(document: Mapping[str, Any], purposes: set[str]) -> str:
    roles, policies = document["resource"]["aws_iam_role"], document["resource"]["aws_iam_role_policy"]
    made = {id_: purpose for id_, role in roles.items() if (purpose := _purpose(role["name"])) in purposes}
    lines: list[str] = []
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
    return re.sub(f"^{_PIPELINE}-", "", name).partition("-${")[0]


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
    (re.compile(r"\$\{aws_iam_role\.(?:iris|parcels)_([a-z_]+?)_(role_)?[0-9A-F]{8}\.[a-z]+\}"), r"role \1"),
    (re.compile(r"\$\{aws_([a-z]+)_[a-z_]+\.(?:iris|parcels)_([a-z_]+?)_(function_)?[0-9A-F]{8}\.[a-z]+\}"), r"\1 \2"),
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
