"""The events of a repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.service import Params


def announce(account: Account, metadata: Params, branch: str, old: str | None, new: str | None) -> None:
    """Emit the event of a branch that was created, moved or deleted.

    https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
    """
    kind = "referenceCreated" if old is None else "referenceDeleted" if new is None else "referenceUpdated"
    detail: dict[str, Any] = {
        "event": kind,
        "repositoryName": metadata["repositoryName"],
        "repositoryId": metadata["repositoryId"],
        "referenceType": "branch",
        "referenceName": branch,
        "referenceFullName": f"refs/heads/{branch}",
        **({} if new is None else {"commitId": new}),
        **({} if old is None else {"oldCommitId": old}),
        "callerUserArn": account.arn("iam", "root", region=""),
    }
    account.emit(
        {
            "source": "aws.codecommit",
            "detail-type": "CodeCommit Repository State Change",
            "resources": [metadata["Arn"]],
            "detail": detail,
        }
    )
