"""A connection to GitHub, GitLab or Bitbucket, and what a person must do to complete it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from ..._cdk import TerraformOutput
from ...provider import codestarconnections_connection

if TYPE_CHECKING:
    from ..._aws.environment import Environment


class Connection(Construct):
    """A connection, PENDING until a person completes it.

    Attributes:
        connection: The connection.
        arn: Its ARN.
    """

    def __init__(self, scope: Construct, id_: str, *, env: Environment, provider_type: str, repository: str) -> None:
        """Make the connection, and a Terraform output that says what a person must do to complete it."""
        super().__init__(scope, id_)
        self.connection = codestarconnections_connection.CodestarconnectionsConnection(
            self, "connection", name=env.name, provider_type=provider_type
        )
        self.arn: str = self.connection.arn
        TerraformOutput(
            self,
            "handshake",
            description="Connection to the repository of the algorithm",
            value={
                "connection_arn": self.arn,
                "connection_status": self.connection.connection_status,
                "what_to_do": (
                    f"While the connection is PENDING nothing is built: open Developer Tools, Settings, Connections in "
                    f"the AWS console of {env.region}, choose {env.name}, press 'Update pending connection' and let "
                    f"{provider_type} give access to {repository}; "
                    f"then release a change of the pipeline {env.name}-image."
                ),
            },
        )
