"""The evaluation gate. A candidate that cannot be evaluated does not pass."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from evaluate_model.rules import Rule, parse_rules
from handler_kit import registry
from handler_kit.errors import StepError, as_step_failure
from handler_kit.production import package_in_production
from handler_kit.report import Success
from handler_kit.settings import NONE

if TYPE_CHECKING:
    from evaluate_model.settings import Document, Params, Settings

# SageMaker's metrics are 32-bit floats: 0.95 in the log is 0.949999988 in the registry, and must count as 0.95. The
# rounding changes a number by at most a share of 2^-24; where production's is compared too, two numbers are rounded.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_MetricData.html
RELATIVE_TOLERANCE = 2**-23
NO_GATE = f"{NONE}: no metric was compared with anything, because the pipeline has no evaluation gate"


@dataclass(frozen=True)
class Champion:
    """The model package in production, and its metrics as far as they are known."""

    arn: str
    metrics: dict[str, str]


def evaluate(params: Params, settings: Settings, document: Document, sagemaker: Any, cloudformation: Any) -> Success:
    """Apply the gate to the candidate. Raises StepError with a sentence that says why it does not pass."""
    rules = parse_rules(document.rules) if document.gate else []
    package = sagemaker.describe_model_package(ModelPackageName=params.model_package_arn)
    metrics = registry.metrics_of(package)
    champion = _champion(settings, sagemaker, cloudformation)
    again = params.release != NONE
    # A rollback deploys a release that is older than production on purpose, so it is not compared with production.
    rival = None if again else champion
    found = [judge(rule, metrics.get(rule.metric), rival, _chance(rule, metrics, rival)) for rule in rules]
    if missing := [rule.metric for rule in rules if rule.metric not in metrics]:
        found.append(_where_to_look(missing, package, sorted(metrics)))
    if problems := [problem for problem in found if problem is not None]:
        if why := registry.properties_of(package).get("evaluation_problem"):
            problems.insert(0, f"The evaluation cannot be read: {why}")
        raise _refusal(params.model_package_arn, "; ".join(problems), sagemaker, mark=not again)
    if package.get("ModelApprovalStatus") == registry.REJECTED and not again:
        # The stage was retried, perhaps with other thresholds: the approver decides.
        registry.mark(sagemaker, params.model_package_arn, registry.PENDING, "Passed the gate when retried.")
    return _success(rules, metrics, champion, compared=not again)


def _success(rules: list[Rule], metrics: dict[str, str], champion: Champion | None, *, compared: bool) -> Success:
    if not rules:
        return Success({"Value": NONE, "ProductionValue": NONE, "Verdict": NO_GATE}, summary=NO_GATE)
    verdict = "; ".join(_passed(rule, metrics, champion, compared=compared) for rule in rules)
    first = rules[0].metric
    outputs = {"Value": registry.short(metrics[first]), "ProductionValue": _beside(champion, first), "Verdict": verdict}
    return Success(outputs, summary=verdict)


def judge(rule: Rule, text: str | None, champion: Champion | None, chance: float = 0.0) -> str | None:
    """Why a candidate with this metric does not pass the rule, as a sentence; ``None`` when it passes.

    ``chance`` is how much worse than production it may be, because other data alone would explain it.
    """
    metric = rule.metric
    if text is None:
        return f"The model has no metric {metric}"
    value = registry.parsed(text)
    if value is None:
        return f"{metric} is {text!r}, which is not a number"
    if not math.isfinite(value):
        return f"{metric} is {text}, which is not a finite number"
    if rule.min_value is not None and not _at_least(value, rule.min_value):
        return f"{metric} is {_show(value, rule.min_value)}, must be at least {_show(rule.min_value, value)}"
    if rule.max_value is not None and not _at_least(rule.max_value, value):
        return f"{metric} is {_show(value, rule.max_value)}, must be at most {_show(rule.max_value, value)}"
    if rule.beat_production_by is not None and champion is not None:
        return _compare(value, champion, rule, rule.beat_production_by, chance)
    return None


def _chance(rule: Rule, metrics: dict[str, str], champion: Champion | None) -> float:
    """How much worse than production the metric may be at the rule's confidence level; 0 if that cannot be computed.

    This is the bound of a one-sided test for the difference of two means, from the standard errors of the two, as both
    metrics come from samples of their own: https://www.itl.nist.gov/div898/handbook/prc/section3/prc31.htm and, for
    shares, https://www.itl.nist.gov/div898/handbook/prc/section3/prc33.htm. A margin that production must be beaten by
    is required in full.
    """
    # At most one call in a cold start needs it, and it loads three more modules.
    from statistics import NormalDist

    if rule.beat_production_by or rule.confidence_level is None or champion is None:
        return 0.0
    ours, theirs = (registry.number(known.get(f"{rule.metric}_se")) for known in (metrics, champion.metrics))
    if ours is None or theirs is None or ours < 0 or theirs < 0:
        return 0.0
    return NormalDist().inv_cdf(rule.confidence_level) * math.hypot(ours, theirs)


def _where_to_look(missing: list[str], package: dict[str, Any], known: list[str]) -> str:
    has = f"the model has {', '.join(known)[:300]}" if known else "the model has no metric at all"
    if package.get("ModelMetrics"):
        return f"{has}; check that the evaluation program reports {', '.join(missing)} in evaluation.json"
    if "validation:rmse" in known:
        return f"{has}; for a regression, configure Evaluation.for_regression()"
    return (
        f"{has}; check that the metric definitions match what training prints, which by default are lines such as"
        f" {missing[0]}=0.97; or name other metrics in Evaluation, or use Evaluation.no_gate()"
    )


def _compare(value: float, champion: Champion, rule: Rule, margin: float, chance: float) -> str | None:
    theirs = registry.number(champion.metrics.get(rule.metric))
    if theirs is None:
        return (
            f"Production's model {champion.arn} has no usable {rule.metric}, so the two cannot be compared;"
            " to release without a comparison, leave out beat_production_by once"
        )
    limit = theirs - margin + chance if rule.lower_is_better else theirs + margin - chance
    passes = _at_least(limit, value) if rule.lower_is_better else _at_least(value, limit)
    if passes:
        return None
    bound = "at most" if rule.lower_is_better else "at least"
    why = f"chance explains {_show(chance)}" if chance else f"required margin {_show(margin)}"
    return (
        f"{rule.metric} is {_show(value, limit)}, must be {bound} {_show(limit, value)}"
        f" (production has {_show(theirs)}, {why})"
    )


def _champion(settings: Settings, sagemaker: Any, cloudformation: Any) -> Champion | None:
    arn = package_in_production(cloudformation, settings.production_stack)
    if arn is None:
        return None
    package = registry.find(sagemaker, arn) if arn else None
    return Champion(arn or settings.production_stack, {} if package is None else registry.metrics_of(package))


def _refusal(arn: str, sentence: str, sagemaker: Any, *, mark: bool) -> StepError:
    if mark:
        try:
            registry.mark(sagemaker, arn, registry.REJECTED, sentence)
        except ClientError as error:
            sentence = f"{sentence}. Also, the model could not be marked Rejected: {as_step_failure(error)}"
    return StepError(sentence, external_id=arn)


def _at_least(value: float, limit: float) -> bool:
    return value >= limit or math.isclose(value, limit, rel_tol=RELATIVE_TOLERANCE)


def _passed(rule: Rule, metrics: dict[str, str], champion: Champion | None, *, compared: bool) -> str:
    value = registry.short(metrics[rule.metric])
    chance = _chance(rule, metrics, champion) if compared else 0.0
    return (
        f"{rule.metric} is {value}{_required(rule, compared, chance)}; production has {_beside(champion, rule.metric)}"
    )


def _beside(champion: Champion | None, metric: str) -> str:
    """The metric of the model in production, as text for people."""
    if champion is None:
        return NONE
    theirs = registry.number(champion.metrics.get(metric))
    return "unknown" if theirs is None else _show(theirs)


def _required(rule: Rule, compared: bool, chance: float) -> str:
    required = []
    if rule.min_value is not None:
        required.append(f"at least {_show(rule.min_value)}")
    if rule.max_value is not None:
        required.append(f"at most {_show(rule.max_value)}")
    if rule.beat_production_by is not None and compared:
        margin = rule.beat_production_by
        by_chance = f" by more than {_show(chance)}, which chance explains" if chance else ""
        required.append(
            f"better than production by {_show(margin)}" if margin else f"no worse than production{by_chance}"
        )
    return f" (required: {', '.join(required)})" if required else ""


def _show(value: float, beside: float | None = None) -> str:
    """Short text of a number; the full text when the short text would look equal to the number ``beside``."""
    short = f"{value:.6g}"
    return repr(value) if beside is not None and short == f"{beside:.6g}" else short
