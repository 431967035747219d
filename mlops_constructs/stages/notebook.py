"""A Jupyter notebook instance that stops when idle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from constructs import Construct

from .._aws.keys import use_key, use_key_for_volumes
from .._aws.policy import allow
from .._aws.role import ServiceRole
from .._cdk import Fn
from ..provider import sagemaker_notebook_instance, sagemaker_notebook_instance_lifecycle_configuration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._aws.environment import Environment
    from .._aws.policy import Statement
    from .._aws.stores import Stores
    from ..config import Notebook as NotebookConfig

# Runs as root at every start, for at most 5 minutes:
# https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-lifecycle-config.html
_ON_START = Path(__file__).with_name("notebook_on_start.sh")


class Notebook(Construct):
    """The instance, its role and its lifecycle configuration.

    Attributes:
        instance: SageMaker notebook instance.
        role: Its role: reads and uploads data sets, sees the pipeline, asks the endpoints.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: NotebookConfig,
        env: Environment,
        stores: Stores,
        folders: Sequence[str],
    ) -> None:
        """Make them.

        Args:
            scope: Construct it belongs to.
            id_: Construct id.
            config: The instance.
            env: Where it is deployed.
            stores: Buckets and key.
            folders: Folders that data sets and their objects are uploaded to.
        """
        super().__init__(scope, id_)
        self.role = ServiceRole(self, "role", env, "sagemaker", "notebook")
        granted = self.role.grant(_permissions(env, stores, folders))
        lifecycle = sagemaker_notebook_instance_lifecycle_configuration
        on_start = lifecycle.SagemakerNotebookInstanceLifecycleConfiguration(
            self, "lifecycle", name=env.name, on_start=_script(config, env, stores)
        )
        in_vpc = config.subnet_id is not None
        self.instance = sagemaker_notebook_instance.SagemakerNotebookInstance(
            self,
            "instance",
            name=env.name,
            role_arn=self.role.arn,
            instance_type=config.instance_type,
            volume_size=config.volume_size_gb,
            kms_key_id=stores.key_arn,
            root_access="Disabled",
            direct_internet_access="Disabled" if in_vpc else "Enabled",
            subnet_id=config.subnet_id,
            security_groups=list(config.security_group_ids) if in_vpc else None,
            lifecycle_config_name=on_start.name,
            depends_on=granted,
            instance_metadata_service_configuration=(
                sagemaker_notebook_instance.SagemakerNotebookInstanceInstanceMetadataServiceConfiguration(
                    minimum_instance_metadata_service_version="2"
                )
            ),
        )


def _script(config: NotebookConfig, env: Environment, stores: Stores) -> str:
    script = (
        _ON_START.read_text(encoding="utf-8")
        .replace("@SECONDS@", str(config.idle_timeout_minutes * 60))
        .replace("@PIPELINE@", env.name)
        .replace("@REGION@", env.region)
        .replace("@BUCKET@", stores.data_bucket)
    )
    # The bucket name is only known to Terraform, so Terraform must do the encoding.
    encoded: str = Fn.base64encode(Fn.raw_string(script))
    return encoded


def _permissions(env: Environment, stores: Stores, folders: Sequence[str]) -> list[Statement]:
    return [
        *stores.list_data(["s3:ListBucket"]),
        allow(["s3:GetObject", "s3:GetObjectVersion"], stores.data_objects),
        allow("s3:PutObject", [f"{stores.data_bucket_arn}/{folder}*" for folder in folders]),
        *stores.use_data_key(write=True),
        use_key(stores.key_arn),
        use_key_for_volumes(stores.key_arn),
        allow(
            [
                "codepipeline:GetPipelineExecution",
                "codepipeline:GetPipelineState",
                "codepipeline:ListActionExecutions",
                "codepipeline:ListPipelineExecutions",
            ],
            env.arn("codepipeline", env.name),
        ),
        allow(
            ["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"], env.arn("sagemaker", f"endpoint/{env.name}-dev")
        ),
        allow("sagemaker:StopNotebookInstance", env.arn("sagemaker", f"notebook-instance/{env.name}")),
        allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
            env.arn("logs", "log-group:/aws/sagemaker/NotebookInstances*"),
        ),
    ]
