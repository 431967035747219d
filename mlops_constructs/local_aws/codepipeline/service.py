"""CodePipeline, put together from its sets of operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_constructs.local_aws.codepipeline.actions.providers import action_providers
from mlops_constructs.local_aws.codepipeline.executions import Executions
from mlops_constructs.local_aws.codepipeline.executor import Executor
from mlops_constructs.local_aws.codepipeline.jobs import PipelineJobs
from mlops_constructs.local_aws.codepipeline.transitions import Transitions

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.codecommit.service import CodeCommitService
    from mlops_constructs.local_aws.connections.service import ConnectionsService
    from mlops_constructs.local_aws.lambda_.service import LambdaService
    from mlops_constructs.local_aws.service import Service


class CodePipeline:
    """CodePipeline at run time.

    Attributes:
        services: Its sets of operations, in the order in which they start.
    """

    def __init__(
        self,
        account: Account,
        lambda_: LambdaService,
        codecommit: CodeCommitService,
        connections: ConnectionsService,
    ) -> None:
        self.executor = Executor(account, action_providers(codecommit, connections))
        self.executions = Executions(account, self.executor)
        self.jobs = PipelineJobs(account, self.executor, lambda_)
        self.services: tuple[Service, ...] = (self.executions, self.jobs, Transitions(account, self.executor))
