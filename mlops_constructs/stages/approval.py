"""A person decides: approval with evidence, and the decision on record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from constructs import Construct

from .._aws.actions import Action, Stage, invoke
from .._aws.function import Function
from .._aws.policy import allow, report_job
from ..provider import (
    cloudwatch_event_rule,
    cloudwatch_event_target,
    lambda_permission,
    sns_topic,
    sns_topic_subscription,
)

if TYPE_CHECKING:
    from .._aws.environment import Environment
    from .._aws.policy import Statement
    from .._aws.stores import Stores
    from ..config import Approval as ApprovalConfig

STAGE = ACTION = "Approve"
# What the approver reads in the mail and in the console; CodePipeline takes 1,000 characters.
EVIDENCE = (
    "Candidate: #{Candidate.ModelPackageArn}. Metrics: #{Candidate.Metrics}. Gate: #{Gate.Verdict}. "
    "DEV smoke test: #{Dev.Summary}. "
    "Data: #{Dataset.ObjectKey}, version #{Dataset.VersionId}. Image: #{Training.Image}."
)


class Approval(Construct):
    """The topic that tells people, and the function that records what they said.

    Attributes:
        topic: SNS topic of the approval requests.
        record_decision: Function that marks the model package Approved or Rejected.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: ApprovalConfig,
        env: Environment,
        stores: Stores,
        group: str,
        packages_arn: str,
    ) -> None:
        """Make topic, subscriptions, function and the rule that sees a rejection."""
        super().__init__(scope, id_)
        self._config, self._stores = config, stores
        self.topic = sns_topic.SnsTopic(self, "topic", name=f"{env.name}-approvals", kms_master_key_id=stores.key_arn)
        self.topic_arn: str = self.topic.arn
        for index, email in enumerate(config.emails):
            sns_topic_subscription.SnsTopicSubscription(
                self, f"email_{index}", topic_arn=self.topic_arn, protocol="email", endpoint=email
            )
        pipeline_arn = env.arn("codepipeline", env.name)
        self.record_decision = Function(
            self,
            "record_decision",
            folder="record_decision",
            env=env,
            stores=stores,
            settings={"MODEL_PACKAGE_GROUP": group, "PIPELINE": env.name},
            permissions=[
                allow(["sagemaker:DescribeModelPackage", "sagemaker:UpdateModelPackage"], packages_arn),
                allow("codepipeline:ListActionExecutions", pipeline_arn),
                *report_job(),
            ],
        )
        self._on_rejection(env)

    def stage(self) -> Stage:
        """Describe the pipeline stage ``Approve``."""
        return Stage(
            STAGE,
            [
                Action(
                    name=ACTION,
                    category="Approval",
                    provider="Manual",
                    timeout_minutes=self._config.timeout_minutes,
                    configuration={"NotificationArn": self.topic_arn, "CustomData": EVIDENCE},
                )
            ],
        )

    def record(self, *, run_order: int) -> Action:
        """Describe the action that marks the package Approved, before it is deployed."""
        return invoke(
            "RecordApproval",
            self.record_decision.name,
            run_order=run_order,
            parameters={"model_package_arn": "#{Candidate.ModelPackageArn}"},
        )

    def pipeline_permissions(self) -> list[Statement]:
        """What the pipeline's role needs to tell people."""
        return [allow("sns:Publish", self.topic_arn)]

    def _on_rejection(self, env: Environment) -> None:
        # A rejection ends the execution, so no action of the pipeline can record it.
        rule = cloudwatch_event_rule.CloudwatchEventRule(
            self,
            "on_rejection",
            name=f"{env.name}-on-rejection",
            event_pattern=json.dumps(
                {
                    "source": ["aws.codepipeline"],
                    "detail-type": ["CodePipeline Action Execution State Change"],
                    "detail": {"pipeline": [env.name], "stage": [STAGE], "action": [ACTION], "state": ["FAILED"]},
                }
            ),
        )
        function = self.record_decision
        cloudwatch_event_target.CloudwatchEventTarget(
            self,
            "on_rejection_target",
            rule=rule.name,
            target_id="record-decision",
            arn=function.arn,
            dead_letter_config=cloudwatch_event_target.CloudwatchEventTargetDeadLetterConfig(
                arn=self._stores.dead_letter_arn
            ),
        )
        lambda_permission.LambdaPermission(
            self,
            "on_rejection_permission",
            action="lambda:InvokeFunction",
            function_name=function.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            depends_on=[function.function],
        )
