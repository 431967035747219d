"""Replaces AWS's framework images, which are not on this machine: the toolkit and the framework, from PyPI."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_constructs.local_aws.ecr.images import ImageUri

_FILES = Path(__file__).with_name("framework_image")
# What all of them have; the versions of the toolkit are those with which it runs on today's Python.
_TOOLKIT = "sagemaker-training>=5.1.4,<6"
_SERVER = ("httptools", "numpy", "pyarrow", "uvicorn")
# A hyphen ends the version of the framework in a tag, such as 1.9-0-cpu-py3.
_VERSION = re.compile(r"(\d+(?:\.\d+)+)(?:-transformers(?P<transformers>[\d.]+))?")


@dataclass(frozen=True, slots=True)
class Framework:
    """What AWS's image of a framework has.

    Attributes:
        package: Its package on PyPI.
        server: What serves in AWS's image.
        defaults: Module with the functions that serve where a script has none; None for those of sagemaker-inference.
    """

    package: str
    server: str
    defaults: str | None = None


_SKLEARN = Framework("scikit-learn", "gunicorn", "sklearn_defaults.py")
_XGBOOST = Framework("xgboost", "gunicorn")
_TORCH = Framework("torch", "TorchServe")
_TENSORFLOW = Framework("tensorflow", "TensorFlow Serving")
_HUGGINGFACE = Framework("torch", "multi-model-server")
FRAMEWORKS = {
    "sagemaker-scikit-learn": _SKLEARN,
    "sagemaker-xgboost": _XGBOOST,
    "pytorch": _TORCH,
    "pytorch-training": _TORCH,
    "pytorch-inference": _TORCH,
    "tensorflow-training": _TENSORFLOW,
    "tensorflow-inference": _TENSORFLOW,
    "huggingface-pytorch-training": _HUGGINGFACE,
    "huggingface-pytorch-inference": _HUGGINGFACE,
}


def framework_of(uri: ImageUri) -> Framework | None:
    """Return what AWS's image has; None for another image."""
    return FRAMEWORKS.get(uri.repository) if uri.tag is not None and _VERSION.match(uri.tag) else None


def write_context(uri: ImageUri, framework: Framework, container: Path, folder: Path) -> Path:
    """Write a folder with a Dockerfile that replaces AWS's image.

    Args:
        uri: The image, with a tag.
        framework: What it has.
        container: Folder of the container template, whose server serves.
        folder: Folder to create.
    """
    shutil.copytree(_FILES, folder, ignore=shutil.ignore_patterns("__pycache__", "*_defaults.py"))
    shutil.copytree(
        container / "sagemaker_contract", folder / "sagemaker_contract", ignore=shutil.ignore_patterns("__pycache__")
    )
    defaults = folder / "defaults.py"
    if framework.defaults is None:
        defaults.write_text('"""The server\'s own defaults, those of sagemaker-inference, are the image\'s."""\n')
    else:
        shutil.copy2(_FILES / framework.defaults, defaults)
    packages = " ".join(f"'{one}'" for one in (_TOOLKIT, *_packages(str(uri.tag), framework), *_SERVER))
    (folder / "Dockerfile").write_text(
        "FROM public.ecr.aws/docker/library/python:3.12-slim\n"
        f"RUN pip install {packages}\n"
        "WORKDIR /opt/program\n"
        "COPY . .\n"
        "RUN chmod 755 train serve\n"
        'ENV PATH="/opt/program:${PATH}"\n'
    )
    return folder


def _packages(tag: str, framework: Framework) -> list[str]:
    found = _VERSION.match(tag)
    assert found is not None
    major, minor = found[1].split(".")[:2]
    packages = [f"{framework.package}=={major}.{minor}.*", "pandas>=2,<4"]
    if found["transformers"]:
        packages.append(f"transformers=={found['transformers']}")
    return packages
