"""What a pipeline allows the roles of people and applications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from ._aws import grants
from ._aws.policy import document
from .provider import iam_role_policy
from .stages.approval import ACTION, STAGE

if TYPE_CHECKING:
    from ._aws.environment import Environment
    from .stages.ab_test.stage import ABTestStage
    from .stages.batch.stage import BatchStage
    from .stages.deployment.stage import DeploymentStage


class Grants(Construct):
    """The grants of ``MLOpsPipeline``, which sets the attributes that they read."""

    name: str
    deployment: DeploymentStage
    ab_test: ABTestStage | None
    batch: BatchStage | None
    _env: Environment
    _folders: list[str]

    def grant_invoke(self, id_: str, role_name: str) -> None:
        """Allow a role to invoke the production endpoint; an asynchronous one with its requests and responses in S3.

        Args:
            id_: Construct id of the grant.
            role_name: Name of the IAM role.
        """
        queued = self.deployment.production_mode == "asynchronous"
        statements = grants.invoke_asynchronously if queued else grants.invoke_endpoint
        self._grant(id_, role_name, statements(self._env, self.deployment.production_endpoint))

    def grant_upload(self, id_: str, role_name: str) -> None:
        """Allow a role to upload data sets, which starts the pipeline; arguments as in ``grant_invoke``."""
        self._grant(id_, role_name, grants.upload_datasets(self._env, self._folders))

    def grant_approve(self, id_: str, role_name: str) -> None:
        """Allow a role to read the pipeline's state, and to approve or reject; arguments as in ``grant_invoke``."""
        self._grant(id_, role_name, grants.answer_approval(self._env, STAGE, ACTION))

    def grant_pause(self, id_: str, role_name: str) -> None:
        """Allow a role to pause and resume the endpoints with ``mlops pause``; arguments as in ``grant_invoke``.

        Whoever may change the stacks may have CloudFormation do with them what their roles allow.
        """
        both = (self.deployment.dev_roles, self.deployment.production_roles)
        arns = {roles.endpoint: roles.deploy.arn for roles in both}
        self._grant(id_, role_name, grants.pause_endpoints(self._env, arns))

    def grant_report_outcomes(self, id_: str, role_name: str) -> None:
        """Allow a role to report outcomes of requests, for A/B tests and quality; arguments as in ``grant_invoke``."""
        self._grant(id_, role_name, grants.report_outcomes(self._env))

    def grant_assign_users(self, id_: str, role_name: str) -> None:
        """Allow an application to invoke production and keep its users at one variant; arguments likewise."""
        self._grant(id_, role_name, grants.assign_users(self._env, self.deployment.production_endpoint))

    def grant_operate_ab_test(self, id_: str, role_name: str) -> None:
        """Allow a role to operate A/B tests with ``mlops ab``; a promotion also needs an approver.

        Raises:
            ConfigError: if the pipeline has no A/B tests.
        """
        judge = None if self.ab_test is None else self.ab_test.judge_ab_test.arn
        self._grant(id_, role_name, grants.operate_ab_test(self._env, self.deployment.production_endpoint, judge))

    def grant_score(self, id_: str, role_name: str) -> None:
        """Allow a role to upload files to score, and to read predictions, with ``mlops batch``; arguments likewise.

        Raises:
            ConfigError: if the pipeline has no batch transform.
        """
        folders = None if self.batch is None else self.batch.folders
        self._grant(id_, role_name, grants.score_files(self._env, folders))

    def _grant(self, id_: str, role_name: str, statements: list[dict[str, object]]) -> None:
        iam_role_policy.IamRolePolicy(self, id_, name=f"{self.name}-{id_}", role=role_name, policy=document(statements))
