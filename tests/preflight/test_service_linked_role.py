"""The role of Application Auto Scaling: there, or to be made by whoever needs it first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from preflight import edge
from preflight.synthesized_stacks import real, written

from mlops_constructs.preflight.service_linked_role import ROLE, examine_service_linked_role

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.doctor import Finding
    from mlops_constructs.preflight import SynthesizedStack


def examined(stack: SynthesizedStack, *, there: bool) -> list[Finding]:
    session = edge.session()
    facts = (
        f"<Path>/</Path><RoleName>{ROLE}</RoleName><RoleId>R</RoleId><Arn>arn:aws:iam::123456789012:role/{ROLE}</Arn>"
    )
    role = f"<Role>{facts}<CreateDate>2026-01-01T00:00:00Z</CreateDate></Role>"
    found = f"<GetRoleResponse><GetRoleResult>{role}</GetRoleResult></GetRoleResponse>"
    edge.on(session, "iam", (lambda _: (200, found)) if there else edge.refused_in_xml("NoSuchEntity", status=404))
    return list(examine_service_linked_role(session.client("iam"), stack))


def test_a_role_that_is_there_is_good() -> None:
    assert [(one.state, one.detail) for one in examined(real(), there=True)] == [("good", "is there")]


def test_the_deploy_role_may_create_it() -> None:
    (finding,) = examined(real(), there=False)
    assert (finding.state, "the deploy role may create it" in finding.detail) == ("good", True)


def test_without_that_right_a_person_must_create_it(tmp_path: Path) -> None:
    document = json.loads(
        (real().folder / "cdk.tf.json").read_text().replace("iam:CreateServiceLinkedRole", "iam:GetRole")
    )
    (tmp_path / "assets").symlink_to(real().folder / "assets")
    (finding,) = examined(written(tmp_path, document["resource"]), there=False)
    assert finding.state == "broken"
    assert finding.remedy.startswith("aws iam create-service-linked-role --aws-service-name sagemaker.")


def test_without_autoscaling_nobody_needs_it(tmp_path: Path) -> None:
    assert examined(written(tmp_path, {}), there=False) == []
