"""Stand-ins for images in other registries: container folders on this machine. moto stores the account's own images."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.containers.images import MANIFEST_TYPE, digest_of
from mlops_constructs.local_aws.service import AwsError, Params, PassToMotoError, Service

if TYPE_CHECKING:
    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.images import Image
    from mlops_constructs.local_aws.ecr.images import ImageUri


class RegistriesService(Service):
    """The operation of ECR that pulls stand-in images."""

    service_name: ClassVar[str] = "ecr"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._stand_ins: dict[tuple[str, str], list[tuple[ImageUri, Image]]] = {}

    def stand_in(self, uri: ImageUri, image: Image) -> None:
        """Use an image that was built here in place of the image with this URI."""
        with self.lock:
            self._stand_ins.setdefault((uri.account, uri.repository), []).append((uri, image))

    def batch_get_image(self, params: Params) -> Params:
        """The stand-in images; RepositoryNotFoundException for other repositories of other accounts."""
        account = params.get("registryId", self.account.account_id)
        with self.lock:
            known = list(self._stand_ins.get((account, params["repositoryName"]), []))
        if not known and account == self.account.account_id:
            raise PassToMotoError
        if not known:
            name = params["repositoryName"]
            raise AwsError(
                "RepositoryNotFoundException",
                f"The repository with name '{name}' does not exist in the registry with id '{account}'",
            )
        found = [_answer(uri, image, account) for uri, image in known if _is_asked_for(uri, image, params)]
        missing = [] if found else params["imageIds"]
        failures = [
            {"imageId": one, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
            for one in missing
        ]
        return {"images": found, "failures": failures}


def _digest(uri: ImageUri, image: Image) -> str:
    return digest_of(image.manifest()) if uri.digest is None else uri.digest


def _is_asked_for(uri: ImageUri, image: Image, params: Params) -> bool:
    names = {"imageTag": uri.image_id.get("imageTag", uri.tag), "imageDigest": _digest(uri, image)}
    return any(all(names[key] == value for key, value in one.items()) for one in params["imageIds"])


def _answer(uri: ImageUri, image: Image, account: str) -> Params:
    tag = {} if uri.tag is None else {"imageTag": uri.tag}
    return {
        "registryId": account,
        "repositoryName": uri.repository,
        "imageId": {"imageDigest": _digest(uri, image), **tag},
        "imageManifest": image.manifest(),
        "imageManifestMediaType": MANIFEST_TYPE,
    }
