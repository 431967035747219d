"""A Jupyter notebook instance that stops when idle."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from constructs import Construct

from ..._aws.keys import use_key, use_key_for_volumes
from ..._aws.policy import allow
from ..._aws.role import ServiceRole
from ..._aws.upload import upload
from ..._cdk import AssetType, Fn, TerraformAsset
from ..._payload import archive, folder_files
from ...config.notebook import ALGORITHM
from ...provider import (
    sagemaker_code_repository,
    sagemaker_notebook_instance,
    sagemaker_notebook_instance_lifecycle_configuration,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..._aws.environment import Environment
    from ..._aws.policy import Statement
    from ..._cdk import TerraformResource
    from ..._payload import Archive
    from ...config import Notebook
    from ...provider import s3_object

# Runs as root at every start, for at most 5 minutes:
# https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-lifecycle-config.html
_ON_START = Path(__file__).with_name("on_start.sh")
_PACKAGE = Path(__file__).parents[2]
_NOTEBOOKS = _PACKAGE / "notebooks"
# Folder of A/B tests in the artifact bucket.
_TESTS = "ab"
_LOGS = "log-group:/aws/sagemaker/NotebookInstances"
_CODECOMMIT = re.compile(r"https://git-codecommit\.(?P<region>[a-z0-9-]+)\.[^/]+/v1/repos/(?P<name>[\w.-]+)/?")


class NotebookStage(Construct):
    """The instance, its role, its lifecycle configuration and its notebooks.

    Attributes:
        instance: SageMaker notebook instance.
        role: Its role, which reads and uploads data sets, reads the pipeline and its A/B tests, and invokes the DEV
            endpoint.
        files: Archive of the notebooks in the artifact bucket.
        code_repository: SageMaker code repository with its secret, or None when no secret is needed.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        config: Notebook,
        env: Environment,
        folders: Sequence[str],
        ab_test: bool = False,
        algorithm_repository: str | None = None,
        after: Sequence[TerraformResource] = (),
    ) -> None:
        """Make the instance and its resources.

        Args:
            scope: Construct it belongs to.
            id_: Construct id.
            config: The instance.
            env: Where it is deployed.
            folders: Folders that data sets and their objects are uploaded to.
            ab_test: Whether the pipeline has A/B tests, whose reports the notebooks read.
            algorithm_repository: Name of the algorithm's CodeCommit repository, or None when it is not in CodeCommit.
            after: What must exist before the instance clones that repository.
        """
        super().__init__(scope, id_)
        stores = env.stores
        self._config, self._env = config, env
        files = archive("notebooks", notebook_files(config.directory))
        # The digest is in the key, so that the instance always gets the notebooks that its script expects.
        key = stores.own("notebooks", f"{files.sha256}.zip")
        self.files = self._upload(files, key)
        self._algorithm = algorithm_repository
        repository, url = self._repository()
        self.role = ServiceRole(self, "role", env, "sagemaker", "notebook")
        tests = _tests_permissions(env) if ab_test else []
        granted = self.role.grant([*_permissions(env, folders, key), *tests, *self._repository_permissions(url)])
        lifecycle = sagemaker_notebook_instance_lifecycle_configuration
        on_start = lifecycle.SagemakerNotebookInstanceLifecycleConfiguration(
            self, "lifecycle", name=env.name, on_start=self._script(folders[0], key, files.sha256)
        )
        in_vpc = config.subnet_id is not None
        self.instance = sagemaker_notebook_instance.SagemakerNotebookInstance(
            self,
            "instance",
            name=env.name,
            role_arn=self.role.arn,
            instance_type=config.instance_type,
            volume_size=config.volume_size_in_gb,
            kms_key_id=stores.key_arn,
            root_access="Disabled",
            direct_internet_access="Disabled" if in_vpc else "Enabled",
            subnet_id=config.subnet_id,
            security_groups=list(config.security_group_ids) if in_vpc else None,
            lifecycle_config_name=on_start.name,
            default_code_repository=repository,
            depends_on=[*granted, self.files, *after],
            instance_metadata_service_configuration=(
                sagemaker_notebook_instance.SagemakerNotebookInstanceInstanceMetadataServiceConfiguration(
                    minimum_instance_metadata_service_version="2"
                )
            ),
        )
        self.role.used_by(self.instance)

    def _upload(self, files: Archive, key: str) -> s3_object.S3Object:
        asset = TerraformAsset(self, "archive", path=str(files.path), type=AssetType.FILE, asset_hash=files.sha256)
        return upload(
            self,
            "files",
            stores=self._env.stores,
            key=key,
            source=asset.path,
            source_hash=files.sha256,
        )

    def _repository(self) -> tuple[str | None, str | None]:
        """Return the repository to clone and its URL; a repository with a secret is given by name, not by URL."""
        config = self._config
        self.code_repository: sagemaker_code_repository.SagemakerCodeRepository | None = None
        url = config.repository
        if url == ALGORITHM:
            # aws and aws-us-gov, the only supported partitions, have the same suffix.
            host = f"git-codecommit.{self._env.region}.amazonaws.com"
            url = None if self._algorithm is None else f"https://{host}/v1/repos/{self._algorithm}"
        if url is None or config.repository_secret_arn is None:
            return url, url
        self.code_repository = sagemaker_code_repository.SagemakerCodeRepository(
            self,
            "repository",
            code_repository_name=self._env.name,
            git_config=sagemaker_code_repository.SagemakerCodeRepositoryGitConfig(
                repository_url=url, secret_arn=config.repository_secret_arn
            ),
        )
        name: str = self.code_repository.code_repository_name
        return name, url

    def _repository_permissions(self, url: str | None) -> list[Statement]:
        env, secret = self._env, self._config.repository_secret_arn
        if secret is not None:
            return [allow("secretsmanager:GetSecretValue", secret)]
        if url is None:
            return []
        arn = env.arn("codecommit", str(self._algorithm))
        if self._config.repository != ALGORITHM:
            place = _CODECOMMIT.fullmatch(url)
            if place is None:
                return []
            arn = f"arn:{env.partition}:codecommit:{place['region']}:{env.account_id}:{place['name']}"
        return [allow(["codecommit:GitPull", "codecommit:GitPush"], arn)]

    def _script(self, prefix: str, key: str, digest: str) -> str:
        env, stores = self._env, self._env.stores
        script = _ON_START.read_text(encoding="utf-8")
        known = {
            "SECONDS": str(self._config.idle_timeout_in_minutes * 60),
            "PIPELINE": env.name,
            "PREFIX": prefix,
            "DEV": f"{env.name}-dev",
            "KEY": key,
            "DIGEST": digest,
        }
        for name, value in known.items():
            script = script.replace(f"@{name}@", value)
        # Only Terraform knows the other values. CDKTF breaks references inside a raw string, and backslashes too.
        encoded = Fn.raw_string(script)
        for name, value in {
            "REGION": env.region,
            "BUCKET": stores.data_bucket,
            "ARTIFACTS": stores.artifact_bucket,
        }.items():
            encoded = Fn.replace(encoded, f"@{name}@", value)
        content: str = Fn.base64encode(encoded)
        return content


def notebook_files(directory: str | Path | None) -> dict[str, Path]:
    """Return the files of the notebooks; the library's own come with its client, because it is not installed there."""
    if directory is not None:
        return dict(folder_files(Path(directory).absolute()))
    client = {**folder_files(_PACKAGE, "deployed"), "errors.py": _PACKAGE / "errors.py"}
    return {**folder_files(_NOTEBOOKS), **{f"{_PACKAGE.name}/{name}": path for name, path in client.items()}}


def _permissions(env: Environment, folders: Sequence[str], key: str) -> list[Statement]:
    stores = env.stores
    return [
        *stores.list_data(["s3:ListBucket"]),
        allow(["s3:GetObject", "s3:GetObjectVersion"], stores.data_objects),
        allow("s3:PutObject", [f"{stores.data_bucket_arn}/{folder}*" for folder in folders]),
        *stores.use_data_key(write=True),
        allow("s3:GetObject", f"{stores.artifact_bucket_arn}/{key}"),
        use_key(stores),
        *use_key_for_volumes(stores.key_arn),
        allow(
            [
                "codepipeline:GetPipeline",
                "codepipeline:GetPipelineExecution",
                "codepipeline:ListActionExecutions",
                "codepipeline:ListPipelineExecutions",
            ],
            env.arn("codepipeline", env.name),
        ),
        allow("sagemaker:InvokeEndpoint", env.arn("sagemaker", f"endpoint/{env.name}-dev")),
        allow("sagemaker:StopNotebookInstance", env.arn("sagemaker", f"notebook-instance/{env.name}")),
        allow(["logs:CreateLogGroup", "logs:DescribeLogStreams"], env.arn("logs", f"{_LOGS}:*")),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], env.arn("logs", f"{_LOGS}:log-stream:{env.name}/*")),
    ]


def _tests_permissions(env: Environment) -> list[Statement]:
    """Allow reading the record and the reports of A/B tests."""
    stores = env.stores
    listed = {"StringLike": {"s3:prefix": stores.own(_TESTS, "*")}}
    return [
        allow("s3:ListBucket", stores.artifact_bucket_arn, when=listed),
        allow("s3:GetObject", stores.own_arn(_TESTS)),
    ]
