"""The manual approval: its evidence, its notification, and the record of the decision."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from constructs import Construct

from .._aws.actions import AB_TEST, EXECUTION_ID, RELEASE, Action, PipelineStage, invoke
from .._aws.events import invoke_on
from .._aws.fleet import fleet
from .._aws.function import Function
from .._aws.policy import allow, mark_package, pass_role, report_result
from .._aws.topic import Topic, make_topic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._aws.environment import Environment
    from .._aws.policy import Statement
    from .._aws.pricing import HourlyPrices
    from ..config import Approval, Endpoint

STAGE = ACTION = "Approve"


class ApprovalStage(Construct):
    """What the approver reads, the topic that notifies people, and the function that records the decision.

    Attributes:
        topic: SNS topic of the approval requests, or None when an existing topic is used.
        topic_arn: Its ARN.
        gather_evidence: Function that writes the evidence.
        record_decision: Function that marks the model package Approved or Rejected.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Approval,
        env: Environment,
        group: str,
        packages_arn: str,
        production: Endpoint,
        production_stack: str,
        fleets: Mapping[str, Mapping[str, str]],
        office_hours: Mapping[str, Mapping[str, float]],
        prices: HourlyPrices,
        max_monthly_usd: float | None,
        deploy_role_arn: str,
        scanned_arn: str | None,
        ab_test: bool,
        retraining: bool,
    ) -> None:
        """Make the topic, subscriptions and functions, and the rule for executions that end early.

        Args:
            scope: Construct it belongs to; ``id_`` is its id in there.
            config: The approval.
            env: Where it is deployed.
            group: Name of the model package group.
            packages_arn: Pattern of the ARNs of its packages.
            production: The production endpoint.
            production_stack: CloudFormation stack of the model in production.
            fleets: Environment to the configured stack parameters of its fleet.
            office_hours: Environment to the capacities outside its office hours, and their share of a week.
            prices: What one instance of an endpoint costs per hour.
            max_monthly_usd: What both endpoints may cost a month without a reason, or None.
            deploy_role_arn: ARN of the role with which CloudFormation deploys it.
            scanned_arn: ARN of the ECR repository whose scans are read, or None where none is.
            ab_test: Whether the pipeline has A/B tests.
            retraining: Whether alarms start executions.
        """
        super().__init__(scope, id_)
        self._config, self._env, self._ab_test, self._retraining = config, env, ab_test, retraining
        self._scanned_arn = None if config.max_critical_findings is None else scanned_arn
        self._cost, self._office_hours = (prices, max_monthly_usd), office_hours
        self.topic = None if config.topic_arn is not None else make_topic(self, env, config.emails)
        self.topic_arn: str = str(config.topic_arn) if self.topic is None else self.topic.arn
        self.gather_evidence = self._gather_evidence(packages_arn, production, production_stack, fleets)
        self.record_decision = self._record_decision(group, packages_arn, production_stack, deploy_role_arn)
        self._on_early_end()

    @property
    def notified(self) -> Topic:
        """The topic, for the functions and alarms that publish to it."""
        return Topic(self.topic_arn, is_ours=self.topic is not None)

    @property
    def functions(self) -> list[Function]:
        """The functions that the pipeline invokes."""
        return [self.gather_evidence, self.record_decision]

    def stage(self) -> PipelineStage:
        """Describe the pipeline stage ``Approve``: gather the evidence, then wait for the approver."""
        evidence = invoke(
            "Evidence",
            self.gather_evidence.name,
            namespace="Evidence",
            parameters={
                "execution_id": EXECUTION_ID,
                "model_package_arn": "#{Candidate.ModelPackageArn}",
                "release": RELEASE,
                **({"ab_test": AB_TEST} if self._ab_test else {}),
            },
        )
        approval = Action(
            name=ACTION,
            category="Approval",
            action_provider="Manual",
            run_order=2,
            timeout_minutes=self._config.timeout_in_minutes,
            configuration={
                "NotificationArn": self.topic_arn,
                "CustomData": "#{Evidence.Message}",
                "ExternalEntityLink": "#{Evidence.Link}",
            },
        )
        return PipelineStage(STAGE, [evidence, approval])

    def record(self, *, run_order: int) -> Action:
        """Describe the action that marks the package Approved, before it is deployed."""
        return invoke(
            "RecordApproval",
            self.record_decision.name,
            run_order=run_order,
            parameters={"execution_id": EXECUTION_ID, "model_package_arn": "#{Candidate.ModelPackageArn}"},
        )

    def pipeline_permissions(self) -> list[Statement]:
        """Allow the pipeline's role to notify people."""
        return [allow("sns:Publish", self.topic_arn)]

    def _gather_evidence(
        self, packages_arn: str, production: Endpoint, production_stack: str, fleets: Mapping[str, Mapping[str, str]]
    ) -> Function:
        env, stores = self._env, self._env.stores
        prices, max_monthly_usd = self._cost
        return Function(
            self,
            "gather_evidence",
            folder="gather_evidence",
            env=env,
            settings={
                "PIPELINE": env.name,
                "ARTIFACT_BUCKET": stores.artifact_bucket,
                "PRODUCTION_STACK": production_stack,
                "PRODUCTION_FLEET": fleet(production),
                "PRODUCTION_PARAMETERS": json.dumps(fleets["production"]),
                "AB_TEST": "true" if self._ab_test else "",
                "RETRAINING": "true" if self._retraining else "",
            },
            document={
                "hourly_prices_usd": {name: dict(known) for name, known in prices.endpoints.items()},
                "price_sources": dict(prices.sources),
                "dev_parameters": dict(fleets["dev"]),
                "office_hours": {name: dict(hours) for name, hours in self._office_hours.items()},
                "max_dev_hours": None if self._config.keep_dev_endpoint else self._config.timeout_in_minutes / 60,
                "max_critical_findings": None if self._scanned_arn is None else self._config.max_critical_findings,
                "max_monthly_usd": max_monthly_usd,
            },
            permissions=[
                allow("sagemaker:DescribeModelPackage", packages_arn),
                allow("codepipeline:ListActionExecutions", env.arn("codepipeline", env.name)),
                allow("cloudformation:DescribeStacks", env.arn("cloudformation", f"stack/{production_stack}/*")),
                # The approver reads what the data set requests for the endpoints.
                allow("s3:GetObject", f"{stores.artifact_bucket_arn}/{stores.own('datasets', '*/request.json')}"),
                allow("s3:PutObject", stores.own_arn("evidence")),
                *self._read_ab_test("record.json", "tests/*/report.json"),
                *self._read_reason(),
                *([] if self._scanned_arn is None else [allow("ecr:DescribeImageScanFindings", self._scanned_arn)]),
                *report_result(),
            ],
        )

    def _record_decision(self, group: str, packages_arn: str, production_stack: str, deploy_role_arn: str) -> Function:
        env = self._env
        stack = env.arn("cloudformation", f"stack/{production_stack}/*")
        return Function(
            self,
            "record_decision",
            folder="record_decision",
            env=env,
            settings={
                "MODEL_PACKAGE_GROUP": group,
                "PIPELINE": env.name,
                "APPROVAL_TIMEOUT_MINUTES": str(self._config.timeout_in_minutes),
                "PRODUCTION_STACK": production_stack,
                "DEPLOY_ROLE_ARN": deploy_role_arn,
                "AB_RECORD_BUCKET": env.stores.artifact_bucket if self._ab_test else "",
            },
            permissions=[
                # A package that production runs is not rejected when an action after its deployment fails.
                allow("cloudformation:DescribeStacks", stack),
                # A stack whose first creation failed cannot be updated.
                allow(
                    "cloudformation:DeleteStack",
                    stack,
                    when={"ArnEquals": {"cloudformation:RoleArn": deploy_role_arn}},
                ),
                pass_role(deploy_role_arn, "cloudformation.amazonaws.com"),
                allow("sagemaker:DescribeModelPackage", packages_arn),
                mark_package(packages_arn, ["Approved", "Rejected"]),
                *self._read_ab_test("record.json"),
                allow(
                    ["codepipeline:GetPipelineExecution", "codepipeline:ListActionExecutions"],
                    env.arn("codepipeline", env.name),
                ),
                *report_result(),
            ],
        )

    def _read_reason(self) -> list[Statement]:
        """Allow reading why an alarm started the execution."""
        return self._read_existing("retraining", "executions/*") if self._retraining else []

    def _read_ab_test(self, *names: str) -> list[Statement]:
        """Allow reading the record of champion and challenger, and what it leads to."""
        return self._read_existing("ab", *names) if self._ab_test else []

    def _read_existing(self, folder: str, *names: str) -> list[Statement]:
        stores = self._env.stores
        keys = [stores.own(folder, name) for name in names]
        return [
            # To know whether they exist.
            allow("s3:ListBucket", stores.artifact_bucket_arn, when={"StringLike": {"s3:prefix": keys}}),
            allow("s3:GetObject", [f"{stores.artifact_bucket_arn}/{key}" for key in keys]),
        ]

    def _on_early_end(self) -> None:
        # A failed action ends the execution, so no later action of the pipeline can record it.
        invoke_on(
            self,
            "on_early_end",
            pattern={
                "source": ["aws.codepipeline"],
                "detail-type": ["CodePipeline Pipeline Execution State Change"],
                "detail": {"pipeline": [self._env.name], "state": ["FAILED", "STOPPED"]},
            },
            function=self.record_decision,
            env=self._env,
            target_id="record-decision",
        )
