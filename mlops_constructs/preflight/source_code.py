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
    """Check whether the account may create a repository.

    From July 2024, only accounts and organizations with a repository could create others; CreateRepository returned
    OperationNotAllowedException, "there is no existing repository in this AWS account or AWS Organization"
    (awslabs/sandbox-accounts-for-events #62). At the end of 2025 CodeCommit was opened again. No read-only call
    tells which of the two applies to an account without a repository.
    """
    repositories = [one for one in stack.of_type("aws_codecommit_repository") if not state.has(one.address)]
    if not repositories:
        return
    with asked("CodeCommit", "codecommit:ListRepositories") as problems:
        if codecommit.list_repositories()["repositories"]:
            yield Finding("CodeCommit", "good", "the account has repositories, so it may create others")
        else:
            remedy = (
                "`mlops preflight --live --yes` creates one and deletes it. If AWS refuses, use"
                " Algorithm.from_connection(...) with GitHub, GitLab or Bitbucket."
            )
            detail = "the account has no repository; AWS refused the first one to new customers in 2024 and 2025"
            yield Finding("CodeCommit", "warning", detail, remedy)
    yield from problems


def examine_connections(connections: Any, stack: SynthesizedStack, identity: Identity) -> Iterator[Finding]:
    """Check that each connection is AVAILABLE; one that the stack creates is PENDING until a person completes it.

    https://docs.aws.amazon.com/dtconsole/latest/userguide/welcome-connections-workflow.html
    """
    actions = stack.actions("CodeStarSourceConnection")
    for arn in dict.fromkeys(str(action.get("ConnectionArn")) for action in actions):
        resolved = stack.text(arn, identity)
        if resolved is None:
            detail = "the stack creates it; it is PENDING after the apply"
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
        remedy = f"Use the ARN of a connection in account {identity.account_id}, or create one in the console."
        return Finding(thing, "broken", "there is no connection with this ARN", remedy)
    status = connection["ConnectionStatus"]
    if status == "AVAILABLE":
        return Finding(thing, "good", f"{connection.get('ProviderType', 'its provider')} is connected")
    if status == "PENDING":
        return Finding(thing, "broken", "PENDING: nobody has completed it", _HANDSHAKE)
    remedy = "AWS retries by itself; if the error remains, check that AWS's app is still installed at the provider."
    return Finding(thing, "broken", f"{status}: the provider does not respond", remedy)
