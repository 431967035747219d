"""An algorithm that is a script, run by one of AWS's framework images."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import Problem
from ._folder import is_folder
from ._image_uri import image_problems
from ._part import Part
from ._rules import matches, one_of
from ._script_code import model_fn_problems, syntax_problems
from ._script_folder import source_problems
from .framework_images import FrameworkImage, find_image, frameworks, versions_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Framework = Literal["huggingface", "pytorch", "sklearn", "tensorflow", "xgboost"]
# Of Python's logging: INFO.
LOG_LEVEL = 20
# The toolkit refuses others, since version 5.1: https://github.com/aws/sagemaker-training-toolkit
_MODULE = r"[A-Za-z_]\w{0,100}\.py"
_NAME = r"(?!/)(?!.*\.\.)[A-Za-z0-9._+/\-]{1,200}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptAlgorithm(Part):
    """A script that one of AWS's framework images runs; see ``Algorithm.from_script``.

    Attributes:
        entry_point: The script that trains, relative to ``source``. Literal.
        source: Folder of the script and of what it imports. Literal.
        framework: One of ``Framework``. Literal.
        version: Version of the framework's training image. Literal.
        python: Version of Python of that image, or None for the one that it has. Literal.
        inference_entry_point: The file with ``model_fn``; None for ``inference.py`` if there is one, otherwise
            ``entry_point``. Literal.
        inference_version: Version of the image that serves; None for ``version``. Literal.
        inference_image_uri: URI of an image that serves instead of AWS's, or None. Reference.
    """

    entry_point: str
    source: Path
    framework: Framework
    version: str
    python: str | None = None
    inference_entry_point: str | None = None
    inference_version: str | None = None
    inference_image_uri: str | None = None

    @property
    def training_image(self) -> FrameworkImage:
        """AWS's image that trains."""
        found = find_image(self.framework, "training", self.version)
        assert found is not None
        return found

    @property
    def inference_image(self) -> FrameworkImage | None:
        """AWS's image that serves, or None for ``inference_image_uri``."""
        if self.inference_image_uri is not None:
            return None
        return find_image(self.framework, "inference", self.inference_version or self.version)

    @property
    def serving_entry_point(self) -> str:
        """The file with the functions that serve."""
        if self.inference_entry_point is not None:
            return self.inference_entry_point
        return "inference.py" if (self.source / "inference.py").is_file() else self.entry_point

    @property
    def serving_environment(self) -> dict[str, str]:
        """Environment variables of the container that serves, those that the SageMaker SDK sets too.

        https://github.com/aws/sagemaker-inference-toolkit
        """
        return {
            "SAGEMAKER_PROGRAM": self.serving_entry_point,
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            "SAGEMAKER_CONTAINER_LOG_LEVEL": str(LOG_LEVEL),
        }

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        known = frameworks()
        yield from one_of("framework", self.framework, known)
        if self.framework in known:
            wrong = list(self._training_problems())
            yield from wrong
            if not wrong or self.inference_version is not None:
                yield from self._inference_problems()
        wrong = [*self._entry_point_problems(), *source_problems("source", self.source)]
        yield from wrong
        if not wrong and self.framework in known:
            yield from self._code_problems()

    def _training_problems(self) -> Iterator[Problem]:
        image = find_image(self.framework, "training", self.version)
        if image is None:
            offered = versions_of(self.framework, "training")
            remedy = "choose one, or use Algorithm.from_image(...) or a container of your own"
            yield Problem("version", f"must be one of {offered}", self.version, remedy)
        elif self.python not in (None, image.python or "py3"):
            rule = f"must be that of AWS's image of {self.framework} {self.version}, {image.python or 'py3'!r}"
            yield Problem("python", rule, self.python, "correct it, leave it out, or use another version")

    def _inference_problems(self) -> Iterator[Problem]:
        if self.inference_image_uri is not None:
            yield from image_problems("inference_image_uri", self.inference_image_uri)
            if self.inference_version is not None:
                rule = "must not be given with inference_image_uri, which serves"
                yield Problem("inference_version", rule, self.inference_version, "remove one of the two")
        elif self.inference_image is None:
            version, offered = self.inference_version or self.version, versions_of(self.framework, "inference")
            yield Problem(
                "inference_version",
                f"must be one of {offered}: AWS has no image that serves {self.framework} {version}",
                self.inference_version,
                "choose one, or give inference_image_uri: your own image, built from the container of `mlops init`, "
                "or one of AWS's large-model images",
            )

    def _entry_point_problems(self) -> Iterator[Problem]:
        rule = "must be a path in source, of letters, digits, '.', '_', '+', '-', '/', not '..', and end in .py or .sh"
        yield from self._file_problems("entry_point", self.entry_point, rf"{_NAME}\.(?:py|sh)", rule, "train.py")
        rule = "must be a Python module at the top of source"
        if self.inference_entry_point is not None:
            given = self.inference_entry_point
            yield from self._file_problems("inference_entry_point", given, _MODULE, rule, "inference.py")
        elif is_folder(self.source) and re.fullmatch(_MODULE, self.serving_entry_point) is None:
            remedy = "name the file with model_fn, or add it as inference.py"
            yield Problem("inference_entry_point", f"{rule}; entry_point is none", None, remedy)

    def _code_problems(self) -> Iterator[Problem]:
        training, serving = find_image(self.framework, "training", self.version), self.inference_image
        file = self.source / self.entry_point
        if training is not None and file.suffix == ".py":
            yield from syntax_problems("entry_point", file, training.python)
        if serving is None:
            return
        file = self.source / self.serving_entry_point
        if self.serving_entry_point != self.entry_point:
            yield from syntax_problems("inference_entry_point", file, serving.python)
        if self.framework == "sklearn":
            yield from model_fn_problems("inference_entry_point", file)

    def _file_problems(self, name: str, value: str, pattern: str, rule: str, example: str) -> Iterator[Problem]:
        wrong = list(matches(name, value, pattern, rule, f"use for example {example!r}"))
        yield from wrong
        if not wrong and is_folder(self.source) and not (self.source / value).is_file():
            yield Problem(name, f"must be a file in {self.source}", value, "correct it, or source")
