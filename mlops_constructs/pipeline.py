"""The whole MLOps pipeline as one construct: from the data set to the production endpoint.

The signature of ``MLOpsPipeline`` repeats all arguments, so that ``help()``, editors and mypy show each with its type
and default. ``tests/pipeline/test_arguments.py`` proves that ``PipelineConfig`` and ``Profile`` have the same ones.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from ._aws.account import Account
from ._aws.environment import Environment, RequiredRole
from ._aws.naming import physical_name
from ._aws.placement import checked, defaults_of
from ._aws.tagging import tag_everything
from ._delivery import deliver
from ._grants import Grants
from ._outputs import show
from ._parts import make_alarms_and_dashboard, make_guard, make_notebook, make_parts, make_storage
from .config import (
    ABTest,
    Alarms,
    Algorithm,
    Approval,
    BatchTransform,
    Cost,
    Dataset,
    Endpoint,
    Evaluation,
    Existing,
    Monitoring,
    Network,
    Notebook,
    Training,
    Tuning,
)
from .config.reading import read_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from ._parts import Parts


class MLOpsPipeline(Grants):
    """A production MLOps pipeline on AWS.

    When a data set is uploaded to ``data_bucket``, the pipeline checks it, trains a model, evaluates and registers it,
    deploys it to DEV, tests it there with golden records, waits for a person's approval, and deploys it to production.

    It is deployed to the region and account of the stack's provider, in the partition ``aws`` or ``aws-us-gov``. Only
    AWS knows which services and instance types a region has: if one is missing, the apply fails; if a built-in
    algorithm is missing, the plan fails.

    Attributes:
        name: Prefix of all resource names, a literal.
        storage: Buckets, KMS key and dead-letter queue.
        image: Repository, build and image of the algorithm.
        training: The training role and its functions.
        registry: The model package group.
        evaluation: Model registration and evaluation gate.
        deployment: Templates of the endpoints, their roles and smoke tests.
        approval: Evidence, SNS topic and record of decisions.
        retirement: The function that deletes the DEV endpoint after the decision, or None where it is kept.
        releases: Record of what was released to production.
        pipeline: The CodePipeline.
        ab_test: The functions of A/B tests, or None.
        batch: The functions and the role of batch transform, or None.
        monitoring: The functions that watch production, or None.
        retraining: The function that an alarm of the watch invokes, or None.
        alarms: Notifies the approval's topic of errors, failed executions, undelivered events, rollbacks and approvals
            that wait.
        budget: The AWS Budget of the endpoints, or None.
        dashboard: The CloudWatch dashboard.
        notebook: The notebook instance, or None.
        guard: Refuses a destroy while endpoints and other things are left that Terraform does not know; with
            ``removal="destroy"`` it deletes them first.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        algorithm: Algorithm,
        dataset: Dataset,
        training: Training = Training(),
        tuning: Tuning | None = None,
        network: Network | None = None,
        evaluation: Evaluation = Evaluation(),
        dev: Endpoint = Endpoint(),
        production: Endpoint = Endpoint.for_production(),
        ab_test: ABTest | None = None,
        batch: BatchTransform | None = None,
        monitoring: Monitoring | None = None,
        alarms: Alarms = Alarms(),
        approval: Approval = Approval(),
        cost: Cost = Cost(),
        notebook: Notebook | None = Notebook(),
        existing: Existing = Existing(),
        name_prefix: str | None = None,
        tags: Mapping[str, str] = MappingProxyType({}),
        permissions_boundary_arn: str | None = None,
        role_path: str = "/",
        log_retention_in_days: int = 365,
        removal: Literal["retain", "destroy"] = "retain",
    ) -> None:
        """Create the pipeline.

        Args:
            scope: Stack or construct that contains the pipeline; the stack needs an ``AwsProvider``.
            id_: Construct id. It is part of every Terraform address: another id creates another pipeline.
            algorithm: The algorithm's container.
            dataset: The data sets whose upload starts an execution.
            training: The training job.
            tuning: A search for the best hyperparameters instead of one training job, or None.
            network: The VPC of training jobs and endpoints; with None they run in SageMaker's own network.
            evaluation: The evaluation gate before DEV.
            dev: The DEV endpoint: one instance.
            production: The production endpoint: two instances or more, autoscaling, canary rollout, data capture.
            ab_test: Every release becomes a challenger beside the champion; with None it replaces the champion.
            batch: Jobs that score uploaded files with the model in production; None for none.
            monitoring: Compares what production captures with the training data, or None.
            alarms: When people are notified of errors, slow responses and approvals that wait.
            approval: Who is notified, and how long an approval may take.
            cost: What the pipeline may cost, and the prices of its instances.
            notebook: The notebook instance; None omits it.
            existing: Existing resources to use instead of those that the pipeline would create.
            name_prefix: Prefix of all resource names, at most 12 characters; by default made from ``id_``. Literal.
            tags: Tags of every resource that can have tags, including those that executions create. Literals.
            permissions_boundary_arn: Permissions boundary of every role. Reference.
            role_path: IAM path of every role, such as ``/ml/``. Literal.
            log_retention_in_days: How long logs are kept, one of CloudWatch's values. Literal.
            removal: ``retain`` refuses to destroy buckets and repositories that are not empty, and anything while the
                pipeline has endpoints (``mlops teardown`` deletes them first). ``destroy`` deletes endpoints,
                data sets, models and images together with the stack; use it only in a sandbox or a test. Literal.

        Raises:
            ConfigError: if any rule is broken; raised with all broken rules, before any resource is created.
        """
        arguments = {
            "algorithm": algorithm,
            "dataset": dataset,
            "training": training,
            "tuning": tuning,
            "network": network,
            "evaluation": evaluation,
            "dev": dev,
            "production": production,
            "ab_test": ab_test,
            "batch": batch,
            "monitoring": monitoring,
            "alarms": alarms,
            "approval": approval,
            "cost": cost,
            "notebook": notebook,
            "existing": existing,
            "name_prefix": name_prefix,
            "tags": tags,
            "permissions_boundary_arn": permissions_boundary_arn,
            "role_path": role_path,
            "log_retention_in_days": log_retention_in_days,
            "removal": removal,
        }
        config, prices = checked(scope, id_, arguments)
        super().__init__(scope, id_)
        tree, account = self.node, Account.of(self)
        self.name = physical_name(config.name_prefix or id_, str(tree.path))
        self.storage = make_storage(self, account, config, self.name)
        env = Environment.of_pipeline(account, self.name, config, self.storage.stores)
        self._env, self._folders = env, config.dataset.folders
        parts = make_parts(self, config, env, prices)
        self._show(parts)
        self.pipeline = deliver(self, parts, config, env)
        self.alarms, self.dashboard = make_alarms_and_dashboard(self, config, env, parts)
        self.notebook = None if config.notebook is None else make_notebook(self, config, env, self.image)
        self.guard = make_guard(self, tree, env, parts, self.pipeline)
        outputs = {"data_bucket": self.data_bucket, "pipeline": self.name, "dev_endpoint": self.dev_endpoint}
        show(self, config.dataset, {**outputs, "production_endpoint": self.production_endpoint})
        tag_everything(self, config.tags)

    def _show(self, parts: Parts) -> None:
        """Make each stage an attribute."""
        self.image, self.registry = parts.image, parts.registry
        self.training, self.evaluation = parts.training, parts.evaluation
        self.deployment, self.approval, self.releases = parts.deployment, parts.approval, parts.releases
        self.retirement = parts.retirement
        self.ab_test, self.batch, self.budget = parts.ab_test, parts.batch, parts.budget
        self.monitoring, self.retraining = parts.monitoring, parts.retraining

    @classmethod
    def from_dict(cls, scope: Construct, id_: str, values: Mapping[str, object]) -> MLOpsPipeline:
        """Create the pipeline from a mapping, as it is read from YAML, JSON or TOML.

        Keys are the arguments above and, in nested mappings, the fields of their classes, written as in Python. What is
        given for an argument replaces its default as a whole: ``production: {}`` is ``Endpoint()``. A range of a tuning
        also has a ``type``: ``Integer``, ``Continuous`` or ``Categorical``.

        Raises:
            ConfigError: if a key is unknown, or any rule is broken; raised with all of them.
        """
        options, problems = read_arguments(values)
        if problems:
            checked(scope, id_, {**defaults_of(cls), **options}, problems)
        return cls(scope, id_, **options)

    def __setattr__(self, name: str, value: object) -> None:
        # The Terraform configuration already contains the value: setting another one here would have no effect.
        if name in self.__dict__ and not name.startswith("_"):
            raise AttributeError(f"MLOpsPipeline.{name} is read-only")
        super().__setattr__(name, value)

    @property
    def required_roles(self) -> Mapping[str, RequiredRole]:
        """The service and policy of every role, by purpose; for ``Existing.roles``."""
        return MappingProxyType(self._env.required_roles)

    @property
    def key_policy(self) -> str:
        """The policy that an existing KMS key needs; for ``Existing.kms_key_arn``."""
        return self.storage.key_policy

    @property
    def data_bucket(self) -> str:
        """Name of the bucket that data sets are uploaded to."""
        return self._env.stores.data_bucket

    @property
    def dev_endpoint(self) -> str:
        """Name of the DEV endpoint, which the first execution creates."""
        return self.deployment.dev_endpoint

    @property
    def production_endpoint(self) -> str:
        """Name of the production endpoint, which the first approved execution creates."""
        return self.deployment.production_endpoint
