"""What a script demands of the other arguments of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Problem, under
from ._instances import processor_of
from ._tokens import is_token
from .ranges import json_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .evaluation import Evaluation
    from .framework_images import FrameworkImage
    from .script import ScriptAlgorithm
    from .training import Training

# Hyperparameters that the toolkit keeps from the script.
_KEPT_BY_THE_TOOLKIT = ("_tuning_objective_metric", "default_user_module_name")
# sagemaker_program, _submit_directory, _container_log_level, _job_name and _region.
ADDED_HYPERPARAMETERS = 5
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
_MAX_HYPERPARAMETERS = 100
_MAX_VALUE_LENGTH = 2500


def script_problems(
    script: ScriptAlgorithm, training: Training, evaluation: Evaluation, instance_types: Mapping[str, Sequence[str]]
) -> Iterator[Problem]:
    """Yield what in the other arguments does not fit the script, which itself has no problem.

    Args:
        script: The script.
        training: The training job.
        evaluation: The evaluation gate.
        instance_types: Argument (``training``, ``dev``, ``production``) to all instance types that are possible there.
    """
    yield from under("training", _hyperparameter_problems(training.hyperparameters))
    yield from _installation_problems(script, training)
    if evaluation.job is not None:
        rule = "must be None: AWS's image of a script has no evaluation program"
        remedy = "print the metrics in the script and gate on them, or use a container of your own"
        yield Problem("evaluation.job", rule, "an EvaluationJob", remedy)
    places: list[tuple[tuple[str, ...], FrameworkImage, str]] = [(("training",), script.training_image, "trains")]
    if script.inference_image is not None:
        places.append((("dev", "production"), script.inference_image, "serves"))
    for names, image, does in places:
        for name in names:
            yield from _type_problems(name, instance_types[name], image, f"{does} {script.framework}")
        yield from _one_image(names[-1], [type_ for name in names for type_ in instance_types[name]], image)


def _installation_problems(script: ScriptAlgorithm, training: Training) -> Iterator[Problem]:
    if training.enable_network_isolation is not True:
        return
    for name in ("requirements.txt", "setup.py"):
        if (script.source / name).is_file():
            rule = f"must be False: AWS's image installs {name} of the source from the internet"
            remedy = "set it, or use a container of your own, with the packages in its image"
            yield Problem("training.enable_network_isolation", rule, True, remedy)


def _hyperparameter_problems(hyperparameters: Mapping[str, str | int | float | bool]) -> Iterator[Problem]:
    most = _MAX_HYPERPARAMETERS - ADDED_HYPERPARAMETERS
    if most < len(hyperparameters) <= _MAX_HYPERPARAMETERS:
        rule = f"must have at most {most} entries beside the toolkit's own"
        yield Problem("hyperparameters", rule, len(hyperparameters), "leave some out")
    for name, value in hyperparameters.items():
        place = f"hyperparameters[{name!r}]"
        yield from _name_problems(place, name)
        if is_token(value):
            continue
        length = len(json_value(value))
        if length > _MAX_VALUE_LENGTH >= len(str(value)):
            rule = f"must have at most {_MAX_VALUE_LENGTH} characters as JSON, in which the script gets it"
            yield Problem(place, rule, f"{length} characters", "shorten it, or put it in the data set")


def range_problems(ranges: Iterable[str]) -> Iterator[Problem]:
    """Yield what is wrong with the names of the ranges of a tuning job."""
    for name in ranges:
        yield from _name_problems(f"hyperparameter_ranges[{name!r}]", name)


def _name_problems(place: str, name: str) -> Iterator[Problem]:
    if name.startswith("sagemaker_") or name in _KEPT_BY_THE_TOOLKIT:
        yield Problem(place, "is the toolkit's own: the script would not get it", name, "rename it")


def _type_problems(field: str, types: Iterable[str], image: FrameworkImage, does: str) -> Iterator[Problem]:
    for type_ in types:
        if not is_token(type_) and processor_of(type_) not in image.tags:
            offered = " or ".join(sorted(image.tags))
            rule = f"must be an instance type with {offered}: AWS's image that {does} has no other"
            yield Problem(f"{field}.instance_type", rule, type_, "choose another")


def _one_image(field: str, types: Sequence[str], image: FrameworkImage) -> Iterator[Problem]:
    """Require types with the same image: a job, or a model in both endpoints, has one."""
    known = sorted({type_ for type_ in types if not is_token(type_) and processor_of(type_) in image.tags})
    if len({image.tags[processor_of(type_)] for type_ in known}) > 1:
        rule = "all instance types must have the same image: those with GPUs have another than those without"
        yield Problem(f"{field}.instance_type", rule, known, "choose types of one kind")
