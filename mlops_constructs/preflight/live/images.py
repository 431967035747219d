"""Whether SageMaker accepts an image in OCI's format."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from .verdict import refusal

if TYPE_CHECKING:
    from .room import Room
    from .verdict import Verdicts

_DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
_OCI = "application/vnd.oci.image.manifest.v1+json"
_TYPES = {
    _DOCKER: ("application/vnd.docker.container.image.v1+json", "application/vnd.docker.image.rootfs.diff.tar.gzip"),
    _OCI: ("application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip"),
}


def model_refuses_oci(room: Room) -> Verdicts:
    """Push an empty image of a few hundred bytes in both formats, and create a model from each.

    "Unsupported manifest media type application/vnd.oci.image.manifest.v1+json" (aws/amazon-sagemaker-feedback #180).
    """
    images = _Images(room)
    docker, oci = images.refused("docker", _DOCKER), images.refused("oci", _OCI)
    if docker:
        return "undecided", f"the same image in Docker's format was refused too: {docker}"
    return ("yes", oci) if oci else ("no", "CreateModel accepted it")


def empty_model(room: Room) -> tuple[str, str]:
    """Create a model whose image cannot run; return its name, and the refusal when there is none."""
    return room.name("model-docker"), _Images(room).refused("docker", _DOCKER)


class _Images:
    """A repository with the parts of an empty image, and a role that may pull it."""

    def __init__(self, room: Room) -> None:
        self._room, self._name, self._ecr = room, room.name("image"), room.client("ecr")
        name, ecr = self._name, self._ecr
        room.on_leave(f"ECR repository {name}", lambda: ecr.delete_repository(repositoryName=name, force=True))
        self._uri = ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"]
        self._layer, self._config = _image()
        for blob in (self._layer, self._config):
            _upload(ecr, name, blob)
        pulls = ["BatchCheckLayerAvailability", "BatchGetImage", "GetAuthorizationToken", "GetDownloadUrlForLayer"]
        actions = [f"ecr:{one}" for one in pulls]
        self._role = room.role(
            "model", [{"Service": "sagemaker.amazonaws.com"}], [{"Action": actions, "Resource": "*"}]
        )

    def refused(self, tag: str, media_type: str) -> str:
        """Push the image in a format, and create a model from it; return the refusal."""
        manifest = json.dumps(_manifest(media_type, self._config, self._layer))
        self._ecr.put_image(
            repositoryName=self._name, imageManifest=manifest, imageManifestMediaType=media_type, imageTag=tag
        )
        sagemaker, name = self._room.client("sagemaker"), self._room.name(f"model-{tag}")
        image = {"Image": f"{self._uri}:{tag}"}

        def make() -> None:
            sagemaker.create_model(ModelName=name, ExecutionRoleArn=self._role, PrimaryContainer=image)
            self._room.on_leave(f"model {name}", lambda: sagemaker.delete_model(ModelName=name))

        return refusal(make)


def _image() -> tuple[bytes, bytes]:
    """A layer without files, and its configuration."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w"):
        pass
    tar = buffer.getvalue()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [_digest(tar)]},
    }
    return gzip.compress(tar, mtime=0), json.dumps(config).encode()


def _manifest(media_type: str, config: bytes, layer: bytes) -> dict[str, Any]:
    config_type, layer_type = _TYPES[media_type]
    return {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {"mediaType": config_type, "size": len(config), "digest": _digest(config)},
        "layers": [{"mediaType": layer_type, "size": len(layer), "digest": _digest(layer)}],
    }


def _upload(ecr: Any, repository: str, blob: bytes) -> None:
    upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    ecr.upload_layer_part(
        repositoryName=repository, uploadId=upload, partFirstByte=0, partLastByte=len(blob) - 1, layerPartBlob=blob
    )
    ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[_digest(blob)])


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"
