"""The algorithm: where its container comes from."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Problem, under
from ._build import build_problems, repository_problems
from ._container_folder import directory_problems
from ._image_uri import image_problems, tag_warning
from ._part import Part
from ._rules import boolean
from .builtin import BuiltinAlgorithm
from .git import GitRepository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .git import ProviderType

_SOURCES = ("directory", "codecommit_repository", "git", "image_uri", "built_in")


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm(Part):
    """The container that trains and serves. Made by ``builtin`` or one of the ``from_`` methods.

    Attributes:
        directory: Folder with a ``Dockerfile``, or None. Literal.
        codecommit_repository: Name of an existing CodeCommit repository, or None. Reference.
        git: Repository on GitHub, GitLab or Bitbucket, or None.
        image_uri: URI of an existing image, or None. Reference.
        built_in: A built-in algorithm of SageMaker, or None.
        branch: Branch of the repository that is built. Literal.
        ecr_repository_name: Name of the ECR repository that the build pushes to; None creates one. Reference.
        base_image: Image that the build starts from, as the build argument ``BASE_IMAGE`` of the Dockerfile; None
            keeps the Dockerfile's own. Literal.
        retrain_on_new_image: Train again on the newest data set already trained on when the image changes. Literal.
    """

    directory: Path | None = None
    codecommit_repository: str | None = None
    git: GitRepository | None = None
    image_uri: str | None = None
    built_in: BuiltinAlgorithm | None = None
    branch: str = "main"
    ecr_repository_name: str | None = None
    base_image: str | None = None
    retrain_on_new_image: bool = False

    @classmethod
    def from_directory(
        cls,
        path: str | Path,
        *,
        branch: str = "main",
        ecr_repository_name: str | None = None,
        base_image: str | None = None,
        retrain_on_new_image: bool = False,
    ) -> Algorithm:
        """Seed a CodeCommit repository from a folder; each push to ``branch`` builds a new image.

        The folder is copied into the repository once, when the repository is created. After that, the repository
        is the source of truth.

        Args:
            path: Folder with a ``Dockerfile``; relative to the current folder.
            branch: Branch to seed and to build.
            ecr_repository_name: Existing ECR repository that the build pushes to, in this account and region. Its tags
                should be immutable. None creates one. Reference.
            base_image: Image that the build starts from, as the build argument ``BASE_IMAGE`` of the Dockerfile, such
                as your own mirror. A private registry must be in this account and region. None keeps the
                Dockerfile's own. Literal.
            retrain_on_new_image: Start the pipeline when a build has produced a new image, on the newest data set
                for which training was attempted; without such a data set, nothing starts. An execution that has not
                trained yet uses the new image in any case.
        """
        return cls(
            # What is no path is reported together with all other problems.
            directory=Path(path).absolute() if isinstance(path, (str, Path)) else path,
            branch=branch,
            ecr_repository_name=ecr_repository_name,
            base_image=base_image,
            retrain_on_new_image=retrain_on_new_image,
        )

    @classmethod
    def from_codecommit(
        cls,
        repository_name: str,
        branch: str = "main",
        *,
        ecr_repository_name: str | None = None,
        base_image: str | None = None,
        retrain_on_new_image: bool = False,
    ) -> Algorithm:
        """Build from an existing CodeCommit repository in this account and region.

        Its root folder contains a ``Dockerfile``. The deployment starts the first build; each
        push to ``branch`` starts another.

        Args:
            repository_name: Name of the repository. Reference.
            branch: Branch to build.
            ecr_repository_name, base_image, retrain_on_new_image: As in ``from_directory``.
        """
        return cls(
            codecommit_repository=repository_name,
            branch=branch,
            ecr_repository_name=ecr_repository_name,
            base_image=base_image,
            retrain_on_new_image=retrain_on_new_image,
        )

    @classmethod
    def from_connection(
        cls,
        connection_arn: str,
        repository: str,
        branch: str = "main",
        *,
        ecr_repository_name: str | None = None,
        base_image: str | None = None,
        retrain_on_new_image: bool = False,
    ) -> Algorithm:
        """Build from GitHub, GitLab or Bitbucket, through an existing connection.

        The repository's root folder contains a ``Dockerfile``; each push to ``branch`` builds a
        new image. CodePipeline offers this source in many regions, but not in all: not in us-gov-west-1, for example.
        https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html

        Args:
            connection_arn: ARN of the connection, which a person must have completed. Reference.
            repository: ``owner/repository``.
            branch: Branch to build.
            ecr_repository_name, base_image, retrain_on_new_image: As in ``from_directory``.
        """
        return cls(
            git=GitRepository(name=repository, connection_arn=connection_arn),
            branch=branch,
            ecr_repository_name=ecr_repository_name,
            base_image=base_image,
            retrain_on_new_image=retrain_on_new_image,
        )

    @classmethod
    def from_git(
        cls,
        provider_type: ProviderType,
        repository: str,
        branch: str = "main",
        *,
        ecr_repository_name: str | None = None,
        base_image: str | None = None,
        retrain_on_new_image: bool = False,
    ) -> Algorithm:
        """Build from GitHub, GitLab or Bitbucket, through a connection that the pipeline creates.

        A new connection is PENDING. A person completes it once, in the console; the stack's output ``connection``
        says how. Until then the image pipeline fails at its source action, with that reason.

        Args:
            provider_type: ``GitHub``, ``GitLab`` or ``Bitbucket``.
            repository: As in ``from_connection``, which also names the regions.
            branch: Branch to build.
            ecr_repository_name, base_image, retrain_on_new_image: As in ``from_directory``.
        """
        return cls(
            git=GitRepository(name=repository, provider_type=provider_type),
            branch=branch,
            ecr_repository_name=ecr_repository_name,
            base_image=base_image,
            retrain_on_new_image=retrain_on_new_image,
        )

    @classmethod
    def from_image(cls, image_uri: str, *, retrain_on_new_image: bool = False) -> Algorithm:
        """Use an existing image; nothing is built.

        Args:
            image_uri: ``<account>.dkr.ecr.<region>.amazonaws.com/<repository>@sha256:<digest>``, in the pipeline's
                region. A tag works too, with a warning, because it can later name another image. Training uses the
                digest that the tag names at that time, and serving uses the same digest. Reference.
            retrain_on_new_image: Start the pipeline when a deployment has changed ``image_uri``; otherwise as in
                ``from_directory``.
        """
        warning = tag_warning(image_uri)
        if warning is not None:
            warnings.warn(warning, stacklevel=2)
        return cls(image_uri=image_uri, retrain_on_new_image=retrain_on_new_image)

    @classmethod
    def builtin(cls, name: str, version: str, *, retrain_on_new_image: bool = False) -> Algorithm:
        """Use a built-in algorithm of SageMaker; nothing is built.

        The image is looked up for the stack's region, including AWS GovCloud (US); in a region without the algorithm
        the plan fails. Data is CSV of numbers with the label first. SageMaker defines the algorithm's metrics, so do
        not set ``Training.metric_definitions``; ``Evaluation.metric`` must be one of the algorithm's metrics.
        https://docs.aws.amazon.com/sagemaker/latest/dg/algos.html

        Args:
            name: ``xgboost``, ``linear-learner`` or ``knn``.
            version: Such as ``1.7-1`` for ``xgboost``; ``1`` for the others.
            retrain_on_new_image: Start the pipeline when a deployment has changed the version; otherwise as in
                ``from_directory``.
        """
        return cls(built_in=BuiltinAlgorithm(name=name, version=version), retrain_on_new_image=retrain_on_new_image)

    @property
    def accept(self) -> str:
        """Content type of the endpoints' responses to CSV."""
        return "text/csv" if self.built_in is None else self.built_in.accept

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        given = [name for name in _SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            yield Problem(
                given[1] if given else "directory",
                "needs exactly one of a folder, a repository, an image and a built-in algorithm",
                given,
                "use one of Algorithm.builtin(...) and the Algorithm.from_...(...) methods",
            )
            return
        yield from boolean("retrain_on_new_image", self.retrain_on_new_image)
        part = getattr(self, given[0])
        if isinstance(part, (GitRepository, BuiltinAlgorithm)):
            yield from under(given[0], part.problems())
        elif given[0] == "image_uri":
            yield from image_problems("image_uri", part)
        elif given[0] == "directory":
            yield from directory_problems(part)
        else:
            yield from repository_problems(given[0], part, r"[\w.\-]{1,100}", "CodeCommit")
        if given[0] not in ("image_uri", "built_in"):
            yield from build_problems(self.branch, self.ecr_repository_name, self.base_image)
