"""What the execution does to champion and challenger, in a sentence for the approver."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from handler_kit.ab_store import Store
from handler_kit.objects import read_object
from handler_kit.settings import NONE

if TYPE_CHECKING:
    from gather_evidence.settings import Params, Settings
    from handler_kit.ab_record import Record


def consequence(params: Params, settings: Settings, s3: Any) -> str:
    """Return what approving does; ``none`` in a pipeline without A/B tests."""
    if settings.ab_test is None:
        return NONE
    record, _ = Store(s3, settings.artifact_bucket, settings.pipeline).read()
    if record.champion is None:
        return "becomes the champion: there is none yet"
    beside = f"beside the champion {_short(record.champion.model_package_arn)}"
    if params.ab_test == "promote":
        return f"the challenger becomes the champion. {_verdict(record, settings, s3)}"
    if params.ab_test == "abort":
        return f"the challenger is removed; the champion {_short(record.champion.model_package_arn)} stays"
    if params.release != NONE:
        return f"replaces the champion {_short(record.champion.model_package_arn)}, and there is no challenger then"
    ends = ""
    if record.challenger is not None:
        ends = f"; the challenger {_short(record.challenger.model_package_arn)} is removed"
        ends += ", and its test ends" if record.test is not None and record.test.runs else ""
    return f"becomes the challenger {beside}{ends}"


def _verdict(record: Record, settings: Settings, s3: Any) -> str:
    test = record.test
    if test is None:
        return "It has no test."
    key = f"ab/{settings.pipeline}/tests/{test.id}/report.json"
    found = read_object(s3, settings.artifact_bucket, key)
    said = "No report was written." if found is None else str(json.loads(found[0]).get("sentence", ""))
    return f"{test.why}. {said}" if test.why else said


def _short(arn: str) -> str:
    """The name and version of a model package."""
    return arn.rpartition(":model-package/")[2] or arn
