"""Where the algorithm's code comes from: CodeCommit, or a connection to a Git provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..doctor.finding import Finding
from .asking import asked, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .stack import Identity, SynthesizedStack
    from .state import TerraformState

_HANDSHAKE = "Complete the handshake in the console: Developer Tools, Settings, Connections, Update pending connection."


def examine_codecommit(codecommit: Any, stack: SynthesizedStack, state: TerraformState) -> Iterator[Finding]:
    """See whether the account may make a repository.

    From July 2024 AWS let only accounts and organizations with a repository make others; CreateRepository answered
    OperationNotAllowedException, "there is no existing repository in this AWS account or AWS Organization"
    (awslabs/sandbox-accounts-for-events #62). At the end of 2025 CodeCommit was opened again. No call that only reads
    tells which of the two holds for an account without a repository.
    """
    repositories = [one for one in stack.of_type("aws_codecommit_repository") if not state.has(one.address)]
    if not repositories:
        return
    with asked("CodeCommit", "codecommit:ListRepositories") as problems:
        if codecommit.list_repositories()["repositories"]:
            yield Finding("CodeCommit", "good", "the account has repositories, so it may make others")
        else:
            remedy = (
                "`mlops preflight --live --yes` makes one and deletes it. Where AWS refuses, take"
                " Algorithm.from_connection(...) with GitHub, GitLab or Bitbucket."
            )
            detail = "the account has no repository; AWS refused the first one to new customers in 2024 and 2025"
            yield Finding("CodeCommit", "warning", detail, remedy)
    yield from problems


def examine_connections(connections: Any, stack: SynthesizedStack, identity: Identity) -> Iterator[Finding]:
    """See that each connection is AVAILABLE; one that the stack makes is PENDING until a person completes it.

    https://docs.aws.amazon.com/dtconsole/latest/userguide/welcome-connections-workflow.html
    """
    actions = stack.actions("CodeStarSourceConnection")
    for arn in dict.fromkeys(str(action.get("ConnectionArn")) for action in actions):
        resolved = stack.text(arn, identity)
        if resolved is None:
            detail = "the stack makes it; it is PENDING after the apply"
            yield Finding("connection", "warning", detail, f"After the apply: {_HANDSHAKE}")
            continue
        thing = f"connection {resolved}"
        with asked(thing, "codeconnections:GetConnection and codestar-connections:GetConnection") as problems:
            yield _judge(connections, thing, resolved, identity)
        yield from problems


def _judge(connections: Any, thing: str, arn: str, identity: Identity) -> Finding:
    from botocore.exceptions import ClientError

    try:
        connection = connections.get_connection(ConnectionArn=arn)["Connection"]
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        remedy = f"Give the ARN of a connection of account {identity.account_id}, or make one in the console."
        return Finding(thing, "broken", "there is none of this ARN", remedy)
    status = connection["ConnectionStatus"]
    if status == "AVAILABLE":
        return Finding(thing, "good", f"{connection.get('ProviderType', 'its provider')} is connected")
    if status == "PENDING":
        return Finding(thing, "broken", "PENDING: nobody has completed it", _HANDSHAKE)
    remedy = "AWS tries again by itself; if it stays so, see that its app is still installed at the provider."
    return Finding(thing, "broken", f"{status}: the provider does not answer", remedy)
