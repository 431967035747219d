"""The whole flow as one construct: data set in, production endpoint out."""

from __future__ import annotations

from constructs import Construct

from ._aws.actions import Stage
from ._aws.environment import Environment
from ._aws.naming import physical_name
from ._aws.pipeline import Pipeline
from ._aws.policy import allow, document
from ._cdk import TerraformOutput
from .config import Algorithm, Dataset, Endpoint, PipelineConfig
from .config import Approval as ApprovalConfig
from .config import Evaluation as EvaluationConfig
from .config import Notebook as NotebookConfig
from .config import Training as TrainingConfig
from .provider import iam_role_policy
from .stages.approval import Approval
from .stages.deployment import Deployment
from .stages.evaluation import Evaluation
from .stages.image import Image
from .stages.notebook import Notebook
from .stages.registry import Registry
from .stages.storage import Storage
from .stages.training import Training
from .stages.trigger import dataset_source, source_permissions, start_on_upload


class MLOpsPipeline(Construct):
    """A production MLOps pipeline on AWS.

    A data set that lands in ``data_bucket`` is checked, trained on, judged, registered, deployed to DEV, asked golden
    records, shown to a person, and deployed to production.

    Attributes:
        name: What all resources' names start with, a literal.
        storage: Buckets, key and dead letter queue.
        image: Repository, build and image of the algorithm.
        training: The training role and its functions.
        registry: The model package group.
        evaluation: Registration and gate.
        deployment: Endpoint templates, their roles and smoke tests.
        approval: Topic and record of decisions.
        pipeline: The CodePipeline.
        notebook: The notebook instance, or None.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        algorithm: Algorithm,
        dataset: Dataset,
        training: TrainingConfig = TrainingConfig(),
        evaluation: EvaluationConfig = EvaluationConfig(),
        dev: Endpoint = Endpoint(),
        production: Endpoint = Endpoint.for_production(),
        approval: ApprovalConfig = ApprovalConfig(),
        notebook: NotebookConfig | None = NotebookConfig(),
        name_prefix: str | None = None,
        retain_data: bool = True,
    ) -> None:
        """Make the pipeline.

        Args:
            scope: Stack or construct it belongs to; the stack has an ``AwsProvider``.
            id_: Construct id. In Terraform it is part of every address: another id is another pipeline.
            algorithm: The team's container.
            dataset: What lands in the data bucket and starts an execution.
            training: The training job.
            evaluation: The gate before DEV.
            dev: The DEV endpoint: one instance.
            production: The production endpoint: two instances or more, autoscaling, canary rollout, data capture.
            approval: Who is told, and how long an answer may take.
            notebook: The notebook instance; None leaves it out.
            name_prefix: What all names start with, at most 17 characters; made from ``id_`` unless given.
            retain_data: Refuse to destroy buckets and registries that hold something. False deletes data sets,
                models and images together with the stack, which only a sandbox or a test wants.

        Raises:
            ConfigError: with every broken rule, before anything is made.
        """
        config = PipelineConfig(
            algorithm=algorithm,
            dataset=dataset,
            training=training,
            evaluation=evaluation,
            dev=dev,
            production=production,
            approval=approval,
            notebook=notebook,
            name_prefix=name_prefix,
            retain_data=retain_data,
        )
        super().__init__(scope, id_)
        path: str = self.node.path
        self.name = physical_name(config.name_prefix or id_, path)
        env = Environment.of(self, self.name, retain=config.retain_data)
        self._env, self._prefix = env, config.dataset.prefix
        self.storage = Storage(self, "storage", env=env)
        self._stores = self.storage.stores
        self._make_stages(config)
        self.pipeline = self._deliver(config)
        self.notebook: Notebook | None = None
        if config.notebook is not None:
            self.notebook = Notebook(
                self, "notebook", config=config.notebook, env=env, stores=self._stores, prefix=self._prefix
            )
        self._show()

    @property
    def data_bucket(self) -> str:
        """Name of the bucket that data sets are uploaded to."""
        return self._stores.data_bucket

    @property
    def dev_endpoint(self) -> str:
        """Name of the DEV endpoint, which the first execution makes."""
        return self.deployment.dev_endpoint

    @property
    def production_endpoint(self) -> str:
        """Name of the production endpoint, which the first approved execution makes."""
        return self.deployment.production_endpoint

    def grant_invoke(self, id_: str, role_name: str) -> None:
        """Let a role ask the production endpoint.

        Args:
            id_: Construct id of the grant.
            role_name: Name of the IAM role.
        """
        endpoint = self._env.arn("sagemaker", f"endpoint/{self.production_endpoint}")
        self._grant(id_, role_name, [allow("sagemaker:InvokeEndpoint", endpoint)])

    def grant_upload(self, id_: str, role_name: str) -> None:
        """Let a role upload data sets, and so start the pipeline; arguments as in ``grant_invoke``."""
        arn = self._stores.data_bucket_arn
        self._grant(
            id_,
            role_name,
            [
                allow("s3:PutObject", [f"{arn}/{self._prefix}*", f"{arn}/data/*"]),
                allow(["kms:Decrypt", "kms:GenerateDataKey"], self._stores.key_arn),
            ],
        )

    def grant_approve(self, id_: str, role_name: str) -> None:
        """Let a role see the pipeline and answer its approval; arguments as in ``grant_invoke``."""
        arn = self._env.arn("codepipeline", self.name)
        self._grant(
            id_,
            role_name,
            [
                allow(["codepipeline:GetPipelineState", "codepipeline:GetPipelineExecution"], arn),
                allow("codepipeline:PutApprovalResult", f"{arn}/Approve/Approve"),
            ],
        )

    def _make_stages(self, config: PipelineConfig) -> None:
        env, stores = self._env, self._stores
        self.image = Image(self, "image", config=config.algorithm, env=env, stores=stores)
        self.registry = Registry(self, "registry", env=env)
        group, packages = self.registry.name, self.registry.packages_arn
        self.training = Training(
            self,
            "training",
            dataset=config.dataset,
            config=config.training,
            env=env,
            stores=stores,
            image_parameter=self.image.parameter_name,
            image_arn=self.image.pull_arn,
        )
        self.deployment = Deployment(
            self,
            "deployment",
            dev=config.dev,
            production=config.production,
            env=env,
            stores=stores,
            image_arn=self.image.pull_arn,
        )
        self.evaluation = Evaluation(
            self,
            "evaluation",
            config=config.evaluation,
            env=env,
            stores=stores,
            group=group,
            packages_arn=packages,
            production_stack=self.production_endpoint,
            stack_parameters=self.deployment.stack_parameters,
            image_arn=self.image.pull_arn,
        )
        self.approval = Approval(
            self, "approval", config=config.approval, env=env, stores=stores, group=group, packages_arn=packages
        )

    def _deliver(self, config: PipelineConfig) -> Pipeline:
        stores = self._stores
        functions = [
            self.training.check_dataset,
            self.training.train_model,
            self.evaluation.register_model,
            self.evaluation.evaluate_model,
            self.deployment.dev_smoke_test,
            self.approval.record_decision,
            self.deployment.production_smoke_test,
        ]
        pipeline = Pipeline(
            self,
            "delivery",
            name=self.name,
            purpose="pipeline",
            env=self._env,
            stores=stores,
            stages=[
                Stage("Source", [dataset_source(config.dataset, stores), self.deployment.source()]),
                *self.training.stages(),
                *self.evaluation.stages(),
                self.deployment.dev_stage(),
                self.approval.stage(),
                Stage(
                    "DeployProduction",
                    [self.approval.record(run_order=1), *self.deployment.production_actions(run_order=2)],
                ),
            ],
            permissions=[
                *source_permissions(config.dataset, stores),
                allow("lambda:InvokeFunction", [function.arn for function in functions]),
                *self.deployment.pipeline_permissions(),
                *self.approval.pipeline_permissions(),
            ],
            after=[self.deployment.templates],
        )
        start_on_upload(pipeline, config.dataset, stores)
        return pipeline

    def _show(self) -> None:
        outputs = {
            "data_bucket": self.data_bucket,
            "pipeline": self.name,
            "dev_endpoint": self.dev_endpoint,
            "production_endpoint": self.production_endpoint,
        }
        for name, value in outputs.items():
            TerraformOutput(self, name, value=value)

    def _grant(self, id_: str, role_name: str, statements: list[dict[str, object]]) -> None:
        iam_role_policy.IamRolePolicy(self, id_, name=f"{self.name}-{id_}", role=role_name, policy=document(statements))
