"""Stand-ins for images in other registries, and the scans of the account's own images, which moto stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.containers.images import MANIFEST_TYPE, digest_of
from mlops_constructs.local_aws.service import AwsError, Params, PassToMotoError, Service

if TYPE_CHECKING:
    from datetime import datetime

    from mlops_constructs.local_aws.account import Account
    from mlops_constructs.local_aws.containers.images import Image
    from mlops_constructs.local_aws.ecr.images import ImageUri


class RegistriesService(Service):
    """The operations of ECR that pull stand-in images and read scans.

    Attributes:
        findings: Repository to what a scan of its images finds: severity and count; nothing unless a test says so.
    """

    service_name: ClassVar[str] = "ecr"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._stand_ins: dict[tuple[str, str], list[tuple[ImageUri, Image]]] = {}
        self.findings: dict[str, dict[str, int]] = {}
        self._scanned: dict[tuple[str, str], datetime] = {}

    def stand_in(self, uri: ImageUri, image: Image) -> None:
        """Use an image that was built here in place of the image with this URI."""
        with self.lock:
            self._stand_ins.setdefault((uri.account, uri.repository), []).append((uri, image))

    def after_put_image(self, params: Params, _: dict[str, str]) -> None:
        """Scan the image where its repository has scan on push."""
        name = params["repositoryName"]
        (repository,) = self.account.moto("ecr").describe_repositories(repositoryNames=[name])["repositories"]
        if repository.get("imageScanningConfiguration", {}).get("scanOnPush"):
            self._scan(name, params)

    def after_start_image_scan(self, params: Params, _: dict[str, str]) -> None:
        """Scan the image."""
        self._scan(params["repositoryName"], params["imageId"])

    def describe_image_scan_findings(self, params: Params) -> Params:
        """The counts of `findings`; ScanNotFoundException for an image that was not scanned.

        https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html
        """
        name, digest = params["repositoryName"], self._digest_of(params["repositoryName"], params["imageId"])
        with self.lock:
            scanned, counts = self._scanned.get((name, digest)), dict(self.findings.get(name, {}))
        if scanned is None:
            raise AwsError(
                "ScanNotFoundException",
                f"Image scan does not exist for the image with '{{imageDigest:'{digest}'}}' in the repository with name"
                f" '{name}' in the registry with id '{self.account.account_id}'",
            )
        found = {"imageScanCompletedAt": scanned, "findingSeverityCounts": counts, "findings": []}
        return {
            "registryId": self.account.account_id,
            "repositoryName": name,
            "imageId": {"imageDigest": digest},
            "imageScanStatus": {"status": "COMPLETE", "description": "The scan was completed successfully."},
            "imageScanFindings": found,
        }

    def _scan(self, repository: str, image: Params) -> None:
        names: Params = {name: image[name] for name in ("imageTag", "imageDigest") if name in image}
        with self.lock:
            self._scanned[repository, self._digest_of(repository, names)] = utc_now()

    def _digest_of(self, repository: str, image_id: Params) -> str:
        """The digest of an image in the account. Raises ClientError as ECR does when there is none."""
        found = self.account.moto("ecr").describe_images(repositoryName=repository, imageIds=[image_id])
        return str(found["imageDetails"][0]["imageDigest"])

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
