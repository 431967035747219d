"""Links to pages of the AWS console."""

from __future__ import annotations

from urllib.parse import quote

_HOSTS = {"aws-us-gov": "console.amazonaws-us-gov.com", "aws-cn": "console.amazonaws.cn"}


def execution_link(arn: str, pipeline: str, execution_id: str) -> str:
    """The page of a pipeline execution, in the partition and region of ``arn``."""
    host, region = _place(arn)
    return (
        f"https://{host}/codesuite/codepipeline/pipelines/{pipeline}/executions/{execution_id}/timeline?region={region}"
    )


def log_link(job_arn: str, log_group: str) -> str:
    """The page with the log streams of a SageMaker job."""
    host, region = _place(job_arn)
    # The console expects its fragment percent-encoded twice, with $ instead of %.
    stream = _quoted_twice(f"{job_arn.rpartition('/')[2]}/")
    group = _quoted_twice(log_group)
    return (
        f"https://{host}/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/{group}$3FlogStreamNameFilter$3D{stream}"
    )


def _place(arn: str) -> tuple[str, str]:
    _, partition, _, region, *_ = arn.split(":", 5)
    return _HOSTS.get(partition, "console.aws.amazon.com"), region


def _quoted_twice(text: str) -> str:
    return quote(quote(text, safe=""), safe="").replace("%", "$")


def object_link(arn: str, bucket: str, key: str) -> str:
    """The page of an object in S3, in the partition and region of ``arn``."""
    host, region = _place(arn)
    return f"https://{host}/s3/object/{bucket}?region={region}&prefix={quote(key, safe='')}"
