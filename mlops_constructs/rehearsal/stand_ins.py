"""Folders on this machine that replace images and repositories outside the account."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_constructs.errors import RehearsalError
from mlops_constructs.local_aws.containers.images import ContainerError, check_context
from mlops_constructs.local_aws.ecr.images import ImageUri, pull
from mlops_constructs.rehearsal.framework_images import framework_of, write_context

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlops_constructs.local_aws.local_aws import LocalAws


@dataclass(frozen=True, slots=True)
class StandIns:
    """Folders that replace images and repositories.

    Attributes:
        images: URI of an image to the container folder that runs instead.
        repositories: ``owner/repository`` to the folder or git repository that is read instead.
        container: Folder of the container template, whose server serves in place of AWS's framework images; None
            replaces none of them.
    """

    images: Mapping[str, Path] = field(default_factory=dict)
    repositories: Mapping[str, Path] = field(default_factory=dict)
    container: Path | None = None

    @classmethod
    def parse(cls, images: Sequence[str], repositories: Sequence[str], *, container: Path | None = None) -> StandIns:
        """Read ``URI=FOLDER`` and ``OWNER/REPOSITORY=FOLDER``; ``container`` is that of the attributes.

        Raises:
            RehearsalError: naming the option and what is wrong with it.
        """
        pairs = (_pairs("--image", "URI", images), _pairs("--repository", "OWNER/REPOSITORY", repositories))
        found = cls(*pairs, container=container)
        for uri, folder in found.images.items():
            try:
                ImageUri.parse(uri)
                check_context(folder)
            except ContainerError as error:
                raise RehearsalError(f"--image {uri}={folder}: {error}") from None
        for name in found.repositories:
            if "/" not in name:
                raise RehearsalError(f"--repository {name}: must be the full name, such as team/algorithm")
        return found

    def install(self, aws: LocalAws) -> None:
        """Build the images, and register images and repositories with the local AWS."""
        aws.connections.missing_repository = (
            "give --repository {repository}=FOLDER, a folder or git repository to read instead"
        )
        for uri, folder in self.images.items():
            aws.log(f"{folder} replaces the image {uri}")
            image = aws.containers.runtime.build(folder, aws.log)
            aws.ecr.stand_in(ImageUri.parse(uri), image)
        for name, folder in self.repositories.items():
            aws.log(f"{folder} replaces the repository {name}")
            aws.connections.stand_in(name, folder)

    def complete_connections(self, aws: LocalAws) -> list[str]:
        """Complete the pending connections whose repositories are on this machine; return their names."""
        if not self.repositories:
            return []
        return aws.connections.complete()

    def missing_images(self, aws: LocalAws, uris: Iterable[str]) -> list[str]:
        """Return those that are not on this machine."""
        return [uri for uri in dict.fromkeys(uris) if not _is_here(aws, uri)]

    def replace(self, aws: LocalAws, uri: str) -> str:
        """Build what replaces one of AWS's framework images; return a text about it.

        Raises:
            RehearsalError: with the option to use, for another image, or one that cannot be built.
        """
        place = ImageUri.parse(uri)
        framework = framework_of(place)
        if self.container is None or framework is None:
            raise RehearsalError(
                f"the image {uri} is not on this machine: give --image {uri}=FOLDER, a folder with a Dockerfile "
                "to build and run instead"
            )
        folder = aws.workdir / "framework_images" / f"{place.repository}-{place.tag}"
        context = write_context(place, framework, self.container, folder)
        try:
            aws.ecr.stand_in(place, aws.containers.runtime.build(context, aws.log))
        except ContainerError as error:
            raise RehearsalError(
                f"the image {uri} cannot be replaced: {error}\nGive --image {uri}=FOLDER, a folder with a Dockerfile "
                "to build and run instead"
            ) from error
        return (
            f"{framework.package} and sagemaker-training of PyPI; the container template's server "
            f"(on AWS {framework.server})"
        )


def _is_here(aws: LocalAws, uri: str) -> bool:
    try:
        pull(aws.account, aws.containers.images, uri, None)
    except ContainerError:
        return False
    return True


def _pairs(option: str, left: str, texts: Sequence[str]) -> dict[str, Path]:
    pairs: dict[str, Path] = {}
    for text in texts:
        name, separator, folder = text.rpartition("=")
        if not separator or not name or not folder:
            raise RehearsalError(f"{option} {text}: must be {left}=FOLDER")
        if not Path(folder).is_dir():
            raise RehearsalError(f"{option} {text}: no such folder: {folder}")
        if name in pairs:
            raise RehearsalError(f"{option} {name}: given twice")
        pairs[name] = Path(folder).resolve()
    return pairs
