"""The notebook instance for exploring data and models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Problem
from ._folder import deployed_files, file_problems, is_folder
from ._part import Part
from ._rules import in_range, instance_type, literal, matches, reference, references
from ._tokens import is_token

if TYPE_CHECKING:
    from collections.abc import Iterator

# Value of `repository` for "the algorithm's own repository".
ALGORITHM = "algorithm"
_MAX_MEGABYTES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Notebook(Part):
    """A SageMaker notebook instance that stops when idle, with IMDSv2 and without root.

    At each start, missing notebooks are copied into the folder ``mlops-notebooks``; an existing file is not changed.
    The role may upload data sets, read the pipeline's state and invoke the DEV endpoint; it may neither approve nor
    invoke the production endpoint.

    Attributes:
        instance_type: SageMaker instance type. Literal.
        volume_size_in_gb: Size of its storage volume, 5 to 16,384 GB. Literal.
        idle_timeout_in_minutes: Stop after this time without a busy kernel, 10 to 1,440 minutes; also after three times
            as long if Jupyter's state cannot be read. Literal.
        directory: Folder of notebooks and the files that they need, at most 50 MB. None uses the notebooks of this
            library: understand the data, train, decide, compare in production. Literal.
        repository: Git repository to clone onto the instance: ``algorithm`` for the algorithm's own if that is in
            CodeCommit, the ``https://`` URL of another (a CodeCommit repository must be in this account), or None.
            The instance fails to start when it cannot clone. Literal.
        repository_secret_arn: Secrets Manager secret with ``username`` and ``password`` for a private repository that
            is not in CodeCommit. Reference. https://docs.aws.amazon.com/sagemaker/latest/dg/nbi-git-resource.html
        subnet_id: Subnet of the instance, which then has no direct internet access; the subnet needs a NAT gateway, or
            VPC endpoints for S3, SageMaker (``sagemaker.api`` and ``sagemaker.runtime``), CodePipeline, STS, CloudWatch
            Logs and, to clone from CodeCommit, ``git-codecommit``. None gives it direct internet access, because
            otherwise it could not reach AWS. Reference.
        security_group_ids: Security groups in that subnet's VPC. References.
    """

    instance_type: str = "ml.t3.medium"
    volume_size_in_gb: int = 20
    idle_timeout_in_minutes: int = 60
    directory: str | Path | None = None
    repository: str | None = ALGORITHM
    repository_secret_arn: str | None = None
    subnet_id: str | None = None
    security_group_ids: Sequence[str] = ()

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from instance_type("instance_type", self.instance_type)
        yield from in_range("volume_size_in_gb", self.volume_size_in_gb, 5, 16_384, "GB")
        yield from in_range("idle_timeout_in_minutes", self.idle_timeout_in_minutes, 10, 1_440, "minutes")
        if self.directory is not None:
            yield from _directory_problems(str(self.directory))
        yield from self._repository_problems()
        if self.subnet_id is not None:
            yield from reference("subnet_id", self.subnet_id)
        yield from references("security_group_ids", self.security_group_ids)
        if (self.subnet_id is None) != (not self.security_group_ids):
            yield Problem(
                "security_group_ids",
                "subnet_id and security_group_ids must be given together",
                tuple(self.security_group_ids),
                "give both or neither",
            )

    def _repository_problems(self) -> Iterator[Problem]:
        if self.repository not in (None, ALGORITHM):
            yield from matches(
                "repository",
                self.repository,
                # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateNotebookInstance.html
                r"(?=.{1,1000}$)https://[\w.\-]+(?:/[\w.\-]+)+/?",
                "must be 'algorithm', the https:// URL of a Git repository without user and password, or None",
                "use for example 'https://github.com/acme/churn'",
            )
        if self.repository_secret_arn is None:
            return
        yield from reference("repository_secret_arn", self.repository_secret_arn)
        if self.repository in (None, ALGORITHM) or "://git-codecommit." in self.repository:
            yield Problem(
                "repository_secret_arn",
                "needs a repository that is not in CodeCommit, because access to CodeCommit is by the role",
                self.repository_secret_arn,
                "give repository='https://...', or leave the secret out",
            )


def _directory_problems(directory: str) -> Iterator[Problem]:
    yield from literal("directory", directory)
    if is_token(directory):
        return
    folder = Path(directory)
    if not is_folder(folder):
        yield Problem("directory", "must be a folder", directory, "correct the path, or leave it out")
        return
    files = list(deployed_files(folder))
    yield from file_problems("directory", folder, [(path, fault) for path, fault in files if fault is not None])
    sizes = [path.stat().st_size for path, fault in files if fault is None]
    if not files:
        yield Problem("directory", "must contain a file", directory, "add a notebook, or leave it out")
    if sum(sizes) > _MAX_MEGABYTES * 10**6:
        # A start may take 5 minutes: https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-lifecycle-config.html
        rule = f"must contain at most {_MAX_MEGABYTES} MB"
        yield Problem("directory", rule, f"{sum(sizes) / 1e6:.0f} MB", "keep data in the data bucket")
