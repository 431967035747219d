"""Why an alarm has its state, in the words of CloudWatch.

The words are those of messages that people quote, such as https://github.com/aws/aws-sdk-java/issues/1723.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.cloudwatch.alarm_states import COMPARISONS, INSUFFICIENT, OK

if TYPE_CHECKING:
    from mlops_constructs.local_aws.cloudwatch.alarm_states import Finding
    from mlops_constructs.local_aws.service import Params

_TREATED = {"breaching": "Breaching", "notBreaching": "NonBreaching", "ignore": "Ignored", "missing": "Missing"}


def reason(alarm: Params, finding: Finding, state: str) -> str:
    """Return StateReason of an alarm that changes to a state."""
    wanted: int = alarm["EvaluationPeriods"]
    if state == INSUFFICIENT:
        return f"Insufficient Data: {_counted(wanted, 'datapoint')} {_was(wanted)} unknown."
    if not finding.used:
        missing = f"{_counted(finding.filled, 'missing datapoint')} {_was(finding.filled)}"
        treated = _TREATED[alarm.get("TreatMissingData") or "missing"]
        periods = _counted(wanted, "period")
        return f"Threshold Crossed: no datapoints were received for {periods} and {missing} treated as [{treated}]."
    breaches, words = COMPARISONS[alarm["ComparisonOperator"]]
    threshold: float = alarm["Threshold"]
    counted = [point for point in finding.used if breaches(point[1], threshold) == (state != OK)]
    shown = ", ".join(f"{value} ({_date(at):%d/%m/%y %H:%M:%S})" for at, value in counted)
    least = alarm.get("DatapointsToAlarm") or wanted
    needed, change = (least, "OK -> ALARM") if state != OK else (wanted - least + 1, "ALARM -> OK")
    return (
        f"Threshold Crossed: {len(counted)} out of the last {len(finding.used)} datapoints [{shown}] "
        f"{_was(len(counted))} {'not ' if state == OK else ''}{words} the threshold ({float(threshold)}) "
        f"(minimum {_counted(needed, 'datapoint')} for {change} transition)."
    )


def reason_data(alarm: Params, finding: Finding, period: int, now: float) -> str:
    """Return StateReasonData."""
    points = [{"timestamp": stamp(at), "value": value} for at, value in finding.used]
    return json.dumps(
        {
            "version": "1.0",
            "queryDate": stamp(now),
            "period": period,
            "recentDatapoints": [value for _, value in reversed(finding.used)],
            "threshold": float(alarm["Threshold"]),
            "evaluatedDatapoints": points,
        }
    )


def stamp(seconds: float) -> str:
    """Return a time as CloudWatch's messages write it."""
    return f"{_date(seconds):%Y-%m-%dT%H:%M:%S.000+0000}"


def _date(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
