"""CodeCommit and connections, before a pipeline needs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from preflight import edge
from preflight.synthesized_stacks import IDENTITY, real, written

from mlops_constructs.preflight import TerraformState
from mlops_constructs.preflight.source_code import examine_codecommit, examine_connections

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_constructs.doctor import Finding

ARN = "arn:aws:codestar-connections:us-east-1:123456789012:connection/00000000-0000-0000-0000-000000000000"


def codecommit(folder: Path, repositories: list[str], *, managed: bool = False) -> list[Finding]:
    stack = written(folder, {"aws_codecommit_repository": {"r": {"repository_name": "mine"}}})
    instances = [{}] if managed else []
    kept = [{"mode": "managed", "type": "aws_codecommit_repository", "name": "r", "instances": instances}]
    (folder / "state").write_text(json.dumps({"resources": kept}))
    session = edge.session()
    found = [{"repositoryName": name, "repositoryId": name} for name in repositories]
    edge.on(session, "codecommit.ListRepositories", edge.told({"repositories": found}))
    return list(examine_codecommit(session.client("codecommit"), stack, TerraformState(stack, folder / "state")))


def test_an_account_with_a_repository_may_make_another(tmp_path: Path) -> None:
    assert [one.state for one in codecommit(tmp_path, ["old"])] == ["good"]


def test_an_account_without_one_may_be_refused(tmp_path: Path) -> None:
    (finding,) = codecommit(tmp_path, [])
    assert (finding.state, "mlops preflight --live" in finding.remedy) == ("warning", True)
    assert "Algorithm.from_connection" in finding.remedy


def test_a_repository_that_is_made_already_is_not_asked_about(tmp_path: Path) -> None:
    assert codecommit(tmp_path, [], managed=True) == []


def connection(folder: Path, arn: str, answer: Any) -> Finding:
    action = {"provider": "CodeStarSourceConnection", "configuration": {"ConnectionArn": arn}}
    stack = written(folder, {"aws_codepipeline": {"p": {"name": "p", "stage": [{"action": [action]}]}}})
    session = edge.session()
    edge.on(session, "codestar-connections.GetConnection", answer)
    (finding,) = examine_connections(session.client("codestar-connections"), stack, IDENTITY)
    return finding


@pytest.mark.parametrize(
    ("status", "state", "sentence"),
    [
        ("AVAILABLE", "good", ""),
        ("PENDING", "broken", "Complete the handshake in the console"),
        ("ERROR", "broken", "AWS retries by itself"),
    ],
)
def test_a_connection_is_judged_by_its_status(tmp_path: Path, status: str, state: str, sentence: str) -> None:
    finding = connection(tmp_path, ARN, edge.told({"Connection": {"ConnectionStatus": status}}))
    assert finding.state == state
    assert finding.remedy.startswith(sentence)


def test_a_connection_that_is_not_there_is_broken(tmp_path: Path) -> None:
    finding = connection(tmp_path, ARN, edge.refused("ResourceNotFoundException"))
    assert (finding.state, finding.detail) == ("broken", "there is no connection with this ARN")


def test_a_connection_that_may_not_be_looked_at_is_unknown(tmp_path: Path) -> None:
    finding = connection(tmp_path, ARN, edge.refused("AccessDeniedException"))
    assert (finding.state, "codestar-connections:GetConnection" in finding.remedy) == ("warning", True)


def test_a_connection_that_the_stack_makes_is_pending_at_first(tmp_path: Path) -> None:
    finding = connection(tmp_path, "${aws_codestarconnections_connection.c.arn}", edge.refused("Unused"))
    assert (finding.state, "After the apply: Complete the handshake" in finding.remedy) == ("warning", True)


def test_a_pipeline_without_a_connection_is_not_asked_about() -> None:
    assert list(examine_connections(edge.session().client("codestar-connections"), real(), IDENTITY)) == []
