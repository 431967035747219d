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
    name, ecr = room.name("image"), room.client("ecr")
    room.on_leave(f"ECR repository {name}", lambda: ecr.delete_repository(repositoryName=name, force=True))
    uri = ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"]
    layer, config = _image()
    for blob in (layer, config):
        _upload(ecr, name, blob)
    pulls = ["BatchCheckLayerAvailability", "BatchGetImage", "GetAuthorizationToken", "GetDownloadUrlForLayer"]
    actions = [f"ecr:{one}" for one in pulls]
    role = room.role("model", [{"Service": "sagemaker.amazonaws.com"}], [{"Action": actions, "Resource": "*"}])
    refusals = {}
    for tag, media_type in (("docker", _DOCKER), ("oci", _OCI)):
        manifest = json.dumps(_manifest(media_type, config, layer))
        ecr.put_image(repositoryName=name, imageManifest=manifest, imageManifestMediaType=media_type, imageTag=tag)
        refusals[tag] = _make_model(room, tag, f"{uri}:{tag}", role)
    if refusals["docker"]:
        return "undecided", f"the same image in Docker's format was refused too: {refusals['docker']}"
    return ("yes", refusals["oci"]) if refusals["oci"] else ("no", "CreateModel accepted it")


def _make_model(room: Room, tag: str, image: str, role: str) -> str:
    sagemaker, name = room.client("sagemaker"), room.name(f"model-{tag}")

    def make() -> None:
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": image})
        room.on_leave(f"model {name}", lambda: sagemaker.delete_model(ModelName=name))

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
