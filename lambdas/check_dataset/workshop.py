"""``trainingjob.zip``: a training described by a CreateTrainingJob request, as the MLOps workshop of AWS uploads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from check_dataset.endpoints import Endpoints, parse_endpoints
from check_dataset.fields import parse_document
from check_dataset.problems import Problems
from check_dataset.training_request import Job, RequestReader
from handler_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

ARCHIVE = "trainingjob.zip"

_JOB = "trainingjob.json"
_DEPLOYMENTS = ("deployment.json", "environment.json")
_VERSION_1 = re.compile(r"assets/deploy-model.*\.(?:ya?ml|json)")


def parse_job(files: Mapping[str, bytes], place: str, min_instances: Mapping[str, str]) -> Job:
    """Read the files of a zip file. Raises ConfigurationError with all problems, each with the file and the field."""
    problems = Problems()
    job = read_job(files, place, min_instances, problems)
    problems.raise_any()
    return job


def read_job(files: Mapping[str, bytes], place: str, min_instances: Mapping[str, str], problems: Problems) -> Job:
    """Read what can be read of the files of a zip file; what is wrong goes to ``problems``."""
    job, texts = Job({}), dict[str, str]()
    with problems.collected():
        _check_files(files, place)
        texts = {name: _text(content, f"{place} / {name}") for name, content in files.items()}
    if _JOB in texts:
        with problems.collected():
            where = f"{place} / {_JOB}"
            job = RequestReader(where, problems).read(parse_document(texts[_JOB], where, "training job"))
    for name in _DEPLOYMENTS:
        if name in texts:
            with problems.collected():
                endpoints: Endpoints = parse_endpoints(texts[name], f"{place} / {name}", min_instances)
                job.endpoints = endpoints.parameters
                job.notes += endpoints.notes
    return job


def check_image(job: Job, image: str) -> None:
    """Accept the image that the zip file names, or raise ConfigurationError; ``image`` is the pipeline's own image."""
    if job.image is None or job.image == image:
        return
    repository = image.partition("@")[0]
    # The tag is the part after the last colon; a colon may also come before the port of a registry.
    tagged, _, tag = job.image.rpartition(":")
    if job.image == repository or (tagged == repository and tag == "latest"):
        job.notes.append(f"TrainingImage {job.image}: trained with {image}")
        return
    raise ConfigurationError(
        f"{_JOB}: AlgorithmSpecification.TrainingImage is {job.image}, but this pipeline trains and serves"
        f" {image}. Leave TrainingImage out, name {repository}:latest, or give the pipeline that image with"
        " Algorithm.from_image(...)"
    )


def _check_files(files: Mapping[str, bytes], place: str) -> None:
    if old := sorted(name for name in files if _VERSION_1.fullmatch(name)):
        raise ConfigurationError(
            f"{place}: {', '.join(old)}: this is the workshop's first format, whose zip file contains CloudFormation"
            " templates. The pipeline deploys with its own templates: leave assets/ out, and put instance types, counts"
            " and scaling into a deployment.json"
        )
    if _JOB not in files:
        elsewhere = [name for name in files if name.endswith(f"/{_JOB}")]
        hint = f"; {elsewhere[0]} must be at the top level" if elsewhere else ""
        raise ConfigurationError(f"{place}: there is no {_JOB} in it, only {', '.join(sorted(files))[:300]}{hint}")
    if unknown := sorted(set(files) - {_JOB, *_DEPLOYMENTS}):
        raise ConfigurationError(f"{place}: {', '.join(unknown)[:300]} is not used here; leave it out")
    if len(set(files) & set(_DEPLOYMENTS)) > 1:
        raise ConfigurationError(f"{place}: it contains both {' and '.join(_DEPLOYMENTS)}; keep one")


def _text(content: bytes, place: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{place}: must be UTF-8 text") from None
