"""``mlops rollback``: an earlier release through the whole pipeline again, without training."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ..errors import MlopsError
from ._account import Account, add_arguments, told
from ._deployed import VARIABLE, DeployedPipeline

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_GONE = frozenset({"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket", "405", "MethodNotAllowed", "400"})
_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[^:@]+)"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))"
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "rollback",
        help="deploy an earlier release again, with smoke tests and approval",
        description="Start the pipeline on an earlier release: no training, but the gate's thresholds, the DEV"
        " endpoint, the smoke tests, the approval and the change set are as for every release.",
    )
    add_arguments(parser)
    parser.add_argument("release", type=_number, help="number of the release, as `mlops releases` shows it")
    parser.set_defaults(run=run, when_interrupted="an execution that has started goes on")


def run(options: argparse.Namespace) -> int:
    """Start the execution; raise MlopsError with all that stands against it."""
    with told():
        account = Account(options.region)
        pipeline = DeployedPipeline(account, options.pipeline)
        source, record = pipeline.source(), pipeline.record(options.release)
        if gone := list(_missing(account, record)):
            raise MlopsError(f"release {options.release} cannot be deployed again: {'; '.join(gone)}")
        execution_id = _start(account, pipeline.name, source["name"], record)
    link = _link(str(record["model_package_arn"]), pipeline.name, execution_id)
    if options.json:
        result = {"pipeline": pipeline.name, "release": options.release, "execution_id": execution_id, "link": link}
        print(json.dumps(result, indent=2))
    else:
        print(
            f"Release {options.release} goes through {pipeline.name} again, as execution {execution_id}.\n"
            f"It waits for approval once the DEV endpoint has passed its smoke test:\n  {link}"
        )
    return 0


def _start(account: Account, pipeline: str, source: str, record: dict[str, Any]) -> str:
    dataset = record["dataset"]
    revisions = {"S3_OBJECT_KEY": dataset["key"], "S3_OBJECT_VERSION_ID": dataset["version_id"]}
    answer = account.client("codepipeline").start_pipeline_execution(
        name=pipeline,
        variables=[{"name": VARIABLE, "value": str(record["release"])}],
        sourceRevisions=[
            {"actionName": source, "revisionType": kind, "revisionValue": value} for kind, value in revisions.items()
        ],
    )
    return str(answer["pipelineExecutionId"])


def _missing(account: Account, record: dict[str, Any]) -> Iterator[str]:
    """Yield what the release needs and is not there any more."""
    from botocore.exceptions import ClientError

    s3, dataset = account.client("s3"), record["dataset"]
    model_bucket, _, model_key = str(record["model_data_url"]).removeprefix("s3://").partition("/")
    objects = {
        f"its data set s3://{dataset['bucket']}/{dataset['key']}, version {dataset['version_id']}": {
            "Bucket": dataset["bucket"],
            "Key": dataset["key"],
            "VersionId": dataset["version_id"],
        },
        f"its model {record['model_data_url']}": {"Bucket": model_bucket, "Key": model_key},
    }
    for what, place in objects.items():
        try:
            s3.head_object(**place)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                raise
            yield f"{what} is gone"
    try:
        account.client("sagemaker").describe_model_package(ModelPackageName=record["model_package_arn"])
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
            raise
        yield f"its model package {record['model_package_arn']} is gone"
    yield from _missing_image(account, str(record["image"]))


def _missing_image(account: Account, image: str) -> Iterator[str]:
    from botocore.exceptions import ClientError

    match = _IMAGE.fullmatch(image)
    if match is None:
        return
    try:
        account.client("ecr").describe_images(
            registryId=match["account"],
            repositoryName=match["repository"],
            imageIds=[{"imageDigest": match["digest"]}],
        )
    except ClientError as error:
        # Of another account's registry the person may know less than the pipeline.
        if error.response["Error"]["Code"] in ("ImageNotFoundException", "RepositoryNotFoundException"):
            yield f"its image {image} is gone"


def _link(arn: str, pipeline: str, execution_id: str) -> str:
    _, partition, _, region, *_ = arn.split(":", 5)
    host = "console.amazonaws-us-gov.com" if partition == "aws-us-gov" else "console.aws.amazon.com"
    return (
        f"https://{host}/codesuite/codepipeline/pipelines/{pipeline}/executions/{execution_id}/timeline?region={region}"
    )


def _number(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        import argparse

        raise argparse.ArgumentTypeError(f"must be the number of a release, got {text!r}")
    return int(text)
