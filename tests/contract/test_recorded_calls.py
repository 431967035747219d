"""What Terraform, the functions and the services were recorded to call is answered by the local AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore import xform_name
from local_aws.tiny_container import local_aws
from moto.core.utils import get_service_model
from synthesis import ROOT

from mlops_constructs.local_aws.moto_operations import is_motos

if TYPE_CHECKING:
    from collections.abc import Iterator


def recorded() -> Iterator[tuple[str, str]]:
    for line in (ROOT / "tests/iam_mutation/recorded.jsonl").read_text().splitlines():
        yield tuple(json.loads(line)[1].split(":"))
    for calls in json.loads((ROOT / "tests/preflight/terraform_calls.json").read_text()).values():
        for call in calls:
            yield tuple(call.split(":"))


def test_no_recorded_call_is_refused_as_nobodys() -> None:
    # An action of IAM that is no operation's name stands for an operation that is listed itself.
    calls = {(service, name) for service, name in recorded() if name in get_service_model(service).operation_names}
    assert len(calls) > 100
    with local_aws() as aws:
        ours = {
            (service, name)
            for service, name in calls
            for one in aws._services
            if one.service_name == service and hasattr(one, xform_name(name))
        }
    assert [call for call in calls - ours if not is_motos(*call)] == []
