"""The gate. It closes whenever it cannot tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handler_kit import logs
from handler_kit.errors import StepFailure, as_step_failure, error_code, error_message
from handler_kit.report import Success

if TYPE_CHECKING:
    from evaluate_model.settings import Params, Settings

METRIC_PREFIX = "metric."
NONE = "none"
MAXIMUM_DESCRIPTION_CHARACTERS = 1024

# Metrics come as 32-bit floats: 0.95 in the log is 0.949999988 in the registry, and still at least 0.95.
RELATIVE_TOLERANCE = 1e-6

# In these states nothing has ever been served from the stack, or nothing is any more.
_WITHOUT_CHAMPION = ("REVIEW_", "CREATE_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_", "DELETE_")


@dataclass(frozen=True)
class Champion:
    """The model package in production; ``value`` is ``None`` when its metric is not known."""

    arn: str
    value: float | None


def evaluate(params: Params, settings: Settings, sagemaker: Any, cloudformation: Any) -> Success:
    """Judge the candidate. Raises StepFailure with the sentence that says why it does not pass."""
    package = sagemaker.describe_model_package(ModelPackageName=params.model_package_arn)
    text = package.get("CustomerMetadataProperties", {}).get(METRIC_PREFIX + settings.metric)
    champion = _champion(settings, sagemaker, cloudformation)
    problem = judge(text, champion, settings)
    if problem is not None:
        raise _reject(params.model_package_arn, problem, sagemaker)
    if package.get("ModelApprovalStatus") == "Rejected":
        # The stage was retried, with other thresholds perhaps: the person at the approval decides anew.
        _set_status(params.model_package_arn, "PendingManualApproval", "Passed the gate when retried.", sagemaker)
    value = _show(float(text or "nan"))
    production = NONE if champion is None else "unknown" if champion.value is None else _show(champion.value)
    verdict = f"{settings.metric} is {value}{_rules(settings)}; production has {production}"
    return Success({"Value": value, "ProductionValue": production, "Verdict": verdict}, summary=verdict)


def judge(text: str | None, champion: Champion | None, settings: Settings) -> str | None:
    """Why a candidate with this metric does not pass, as a sentence; ``None`` when it passes."""
    metric = settings.metric
    if text is None:
        return f"The model has no metric {metric}; check that the metric definitions match what training prints"
    try:
        value = float(text)
    except ValueError:
        return f"{metric} is {text!r}, which is not a number"
    if not math.isfinite(value):
        return f"{metric} is {text}, which says nothing about the model"
    if settings.minimum is not None and not _at_least(value, settings.minimum):
        return f"{metric} is {_show(value, settings.minimum)}, must be at least {_show(settings.minimum, value)}"
    if settings.maximum is not None and not _at_least(settings.maximum, value):
        return f"{metric} is {_show(value, settings.maximum)}, must be at most {_show(settings.maximum, value)}"
    if settings.beat_production_by is not None and champion is not None:
        return _compare(value, champion, settings, settings.beat_production_by)
    return None


def _compare(value: float, champion: Champion, settings: Settings, margin: float) -> str | None:
    metric = settings.metric
    if champion.value is None:
        return (
            f"Production's model {champion.arn} has no usable {metric}, so the two cannot be compared;"
            " to release without comparing, leave beat_production_by out once"
        )
    lower_is_better = settings.maximum is not None and settings.minimum is None
    limit = champion.value - margin if lower_is_better else champion.value + margin
    passes = _at_least(limit, value) if lower_is_better else _at_least(value, limit)
    if passes:
        return None
    bound = "at most" if lower_is_better else "at least"
    return (
        f"{metric} is {_show(value, limit)}, must be {bound} {_show(limit, value)}"
        f" (production has {_show(champion.value)}, to be beaten by {_show(margin)})"
    )


def _champion(settings: Settings, sagemaker: Any, cloudformation: Any) -> Champion | None:
    try:
        stack = cloudformation.describe_stacks(StackName=settings.production_stack)["Stacks"][0]
    except ClientError as error:
        if error_code(error) == "ValidationError" and "does not exist" in error_message(error):
            return None
        raise
    if stack["StackStatus"].startswith(_WITHOUT_CHAMPION):
        return None
    parameters = {one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", [])}
    arn = parameters.get("ModelPackageArn", "")
    return Champion(arn or settings.production_stack, _metric_of(arn, settings.metric, sagemaker) if arn else None)


def _metric_of(arn: str, metric: str, sagemaker: Any) -> float | None:
    try:
        package = sagemaker.describe_model_package(ModelPackageName=arn)
        value = float(package.get("CustomerMetadataProperties", {}).get(METRIC_PREFIX + metric, "nan"))
    except ClientError as error:
        if error_code(error) not in {"ValidationException", "ResourceNotFound"}:
            raise
        logs.info("production's model package is gone", model_package=arn)
        return None
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _reject(arn: str, sentence: str, sagemaker: Any) -> StepFailure:
    try:
        _set_status(arn, "Rejected", sentence, sagemaker)
    except ClientError as error:
        sentence = f"{sentence}. Also, the model could not be marked Rejected: {as_step_failure(error)}"
    return StepFailure(sentence, external_id=arn)


def _set_status(arn: str, status: str, description: str, sagemaker: Any) -> None:
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus=status,
        ApprovalDescription=description[:MAXIMUM_DESCRIPTION_CHARACTERS],
    )
    logs.info("model package marked", model_package=arn, status=status)


def _at_least(value: float, limit: float) -> bool:
    return value >= limit or math.isclose(value, limit, rel_tol=RELATIVE_TOLERANCE)


def _rules(settings: Settings) -> str:
    rules = []
    if settings.minimum is not None:
        rules.append(f"at least {_show(settings.minimum)}")
    if settings.maximum is not None:
        rules.append(f"at most {_show(settings.maximum)}")
    if settings.beat_production_by is not None:
        margin = settings.beat_production_by
        rules.append(f"better than production by {_show(margin)}" if margin else "no worse than production")
    return f" ({', '.join(rules)} asked)" if rules else ""


def _show(value: float, beside: float | None = None) -> str:
    """Short text of a number; long where the short one would look equal to the number it stands beside."""
    short = f"{value:.6g}"
    return repr(value) if beside is not None and short == f"{beside:.6g}" else short
