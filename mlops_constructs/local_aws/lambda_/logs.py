"""The logs of functions, in CloudWatch Logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_constructs.local_aws.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.lambda_.function import Function
    from mlops_constructs.local_aws.lambda_.worker import Outcome


def keep_logs(account: Account, function: Function, stream: str, request_id: str, outcome: Outcome) -> None:
    """Write the log of an invocation."""
    lines = [f"START RequestId: {request_id}", *outcome.logs, f"END RequestId: {request_id}"]
    for line in outcome.logs:
        account.log(f"lambda {function.name}: {line}")
    now = int(utc_now().timestamp() * 1000)
    events = [{"timestamp": now, "message": line} for line in lines if line]
    logs = account.moto("logs")
    try:
        _made(logs.create_log_group, logGroupName=function.log_group)
        _made(logs.create_log_stream, logGroupName=function.log_group, logStreamName=stream)
        logs.put_log_events(logGroupName=function.log_group, logStreamName=stream, logEvents=events)
    except (ClientError, BotoCoreError) as error:
        account.log(f"lambda {function.name}: its log cannot be written: {error}")


def _made(create: Callable[..., Any], **names: str) -> None:
    try:
        create(**names)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
