"""What the actions of a plan mean for a person: which data is lost, and what else is replaced."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class Thing:
    """A kind of resource that holds what the program cannot make again.

    Attributes:
        name: What a person calls it.
        holds: What it holds.
        before: What to do before a change deletes or replaces it.
    """

    name: str
    holds: str
    before: str


_STATE = "take it out of the state (`terraform state rm ADDRESS`), then the change leaves it alone"
DATA: Mapping[str, Thing] = {
    "aws_cloudwatch_log_group": Thing(
        "log group",
        "The log of a function or a build, for `log_retention_in_days`",
        f"Export it (`aws logs create-export-task`), or {_STATE}. To bring the function back later, import it again",
    ),
    "aws_codecommit_repository": Thing(
        "CodeCommit repository",
        "What people have pushed since the first deployment",
        'Push it elsewhere. With `removal="retain"` the apply fails while it has commits of people, and names the'
        " command",
    ),
    "aws_codepipeline": Thing(
        "CodePipeline",
        "Its executions, and an approval that waits",
        "Wait until no execution runs. The records of releases are in the artifact bucket and stay",
    ),
    "aws_codestarconnections_connection": Thing(
        "connection",
        "What a person has completed in the console",
        "Nothing. Afterwards a person completes the new one (output `connection`); until then nothing is built",
    ),
    "aws_ecr_repository": Thing(
        "ECR repository",
        "The images of every release; a rollback needs the old ones",
        f'Copy the images that you need. With `removal="retain"` the apply fails while it has images: {_STATE}',
    ),
    "aws_kms_key": Thing(
        "KMS key",
        "The only way to read what it has encrypted: objects, images, volumes, logs",
        f"Do not lose it: {_STATE}. A deletion that is scheduled can be cancelled for 30 days (`aws kms"
        " cancel-key-deletion`), but nothing can be read meanwhile",
    ),
    "aws_s3_bucket": Thing(
        "bucket",
        "Data sets; or models, records of releases, captured requests and artifacts",
        f'Copy the objects with their keys (`aws s3 sync`). With `removal="retain"` the apply fails while it has'
        f" objects: {_STATE}. It can be handed in as an existing bucket then",
    ),
    "aws_sagemaker_model_package_group": Thing(
        "model package group",
        "The model packages with their metrics and decisions",
        "`mlops teardown PIPELINE`: SageMaker deletes no group that has packages",
    ),
    "aws_sagemaker_notebook_instance": Thing(
        "notebook instance",
        "The files on its volume",
        "Push them, or copy them to S3",
    ),
    "aws_sns_topic": Thing(
        "SNS topic",
        "Subscriptions that others have added",
        "Write them down (`aws sns list-subscriptions-by-topic`)",
    ),
    "aws_sns_topic_subscription": Thing(
        "subscription",
        "The confirmation of a person",
        "Nothing. A person who is new gets a mail, and confirms",
    ),
    "aws_sqs_queue": Thing(
        "dead-letter queue",
        "Undelivered events, for 14 days",
        "Read it (`aws sqs receive-message`), and upload again what they tell of",
    ),
    "aws_ssm_parameter": Thing(
        "parameter",
        "The image that the last build has made, or the digest of the newest script",
        "Nothing: the next build writes it",
    ),
}
# Everything else is made again as it was: it is what the program says, or a copy of what lies beside it.
REPRODUCIBLE: Mapping[str, str] = {
    "aws_budgets_budget": "budget",
    "aws_cloudwatch_dashboard": "dashboard",
    "aws_cloudwatch_event_rule": "event rule",
    "aws_cloudwatch_event_target": "event target",
    "aws_cloudwatch_metric_alarm": "alarm",
    "aws_codebuild_project": "CodeBuild project",
    "aws_iam_role": "role",
    "aws_iam_role_policy": "role policy",
    "aws_kms_alias": "key alias",
    "aws_lambda_function": "function",
    "aws_lambda_invocation": "invocation",
    "aws_lambda_permission": "function permission",
    "aws_s3_bucket_lifecycle_configuration": "bucket setting",
    "aws_s3_bucket_notification": "bucket setting",
    "aws_s3_bucket_ownership_controls": "bucket setting",
    "aws_s3_bucket_policy": "bucket setting",
    "aws_s3_bucket_public_access_block": "bucket setting",
    "aws_s3_bucket_server_side_encryption_configuration": "bucket setting",
    "aws_s3_bucket_versioning": "bucket setting",
    "aws_s3_object": "archive",
    "aws_sagemaker_code_repository": "code repository",
    "aws_sagemaker_notebook_instance_lifecycle_configuration": "notebook lifecycle configuration",
}
_DESTRUCTIVE = {"delete": "deletes", "replace": "replaces"}
# Which bucket it is stands in its address.
_BUCKETS = {"_data_bucket_": "data bucket", "_artifacts_bucket_": "artifact bucket"}


@dataclass(frozen=True)
class Effect:
    """What a change does beside updates in place and creations.

    Attributes:
        data: Such as ``deletes ECR repository``, of what holds data; sorted.
        others: Of what holds none.
    """

    data: tuple[str, ...]
    others: tuple[str, ...]

    def __bool__(self) -> bool:
        """Tell whether it does anything."""
        return bool(self.data or self.others)


def effect_of(actions: Iterable[str]) -> Effect:
    """Give the effect of what `Terraform.drift` returns."""
    data, others = Counter[str](), Counter[str]()
    for line in actions:
        action, _, address = line.partition(" ")
        if action not in _DESTRUCTIVE:
            continue
        kind = address.partition(".")[0]
        found, name = (data, DATA[kind].name) if kind in DATA else (others, REPRODUCIBLE[kind])
        if kind == "aws_s3_bucket":
            name = next(one for part, one in _BUCKETS.items() if part in address)
        found[f"{_DESTRUCTIVE[action]} {name}"] += 1
    return Effect(_lines(data), _lines(others))


def _lines(counted: Counter[str]) -> tuple[str, ...]:
    return tuple(text if count == 1 else f"{text} ({count})" for text, count in sorted(counted.items()))
