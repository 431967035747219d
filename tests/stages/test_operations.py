"""``docs/operations.md`` explains every graph of the dashboard and every alarm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from synthesis import ROOT, Synthesized, synth

from mlops_constructs import ABTest

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
FORMS: list[dict[str, Any]] = [{}, {"ab_test": ABTest()}]


def graphs(stack: Synthesized) -> list[str]:
    body = json.loads(stack.one("aws_cloudwatch_dashboard")["dashboard_body"])
    return [one["properties"]["title"] for one in body["widgets"] if one["type"] == "metric"]


def first_cells() -> list[str]:
    return [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("options", FORMS)
def test_every_graph_is_explained(options: dict[str, Any]) -> None:
    cells = "\n".join(first_cells())
    assert [title for title in graphs(synth(**options)) if title not in cells] == []


def test_every_alarm_is_explained() -> None:
    stack = synth()
    names = [alarm["alarm_name"] for alarm in stack.all("aws_cloudwatch_metric_alarm").values()]
    explained = {cell.strip(" `").replace("<pipeline>", stack.pipeline.name) for cell in first_cells()}
    assert set(names) <= explained


def test_no_graph_is_explained_that_is_not_there() -> None:
    titles = {title for options in FORMS for title in graphs(synth(**options))}
    kinds = ("Production: ", "DEV: ", "Functions: ")
    explained = {part.strip() for cell in first_cells() for part in cell.replace(", DEV", "; DEV").split(";")}
    assert {one for one in explained if one.startswith(kinds)} <= titles
