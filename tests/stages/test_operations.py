"""``docs/operations.md`` explains every graph, alarm and message of this repository's programs, and no other."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
from preflight.synthesized_stacks import real
from synthesis import ROOT
from synthesized_programs import PROGRAMS

from mlops_constructs.preflight.demands import endpoint_templates

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
NOTIFY = (ROOT / "lambdas" / "notify_people" / "notify.py").read_text(encoding="utf-8")
WATCH = (ROOT / "lambdas" / "watch_traffic" / "alarms.py").read_text(encoding="utf-8")
# A pipeline's name ends in six hexadecimal digits.
PIPELINE = re.compile(r"^[a-z0-9-]*?-[0-9a-f]{6}(?=-)")
VARIANT = re.compile(r"-(primary|secondary)$")
NUMBER = re.compile(r"-\d+$")


def rows(heading: str) -> set[str]:
    """The first cells of the tables below a heading."""
    section = re.split(rf"^## {heading}$", PAGE, flags=re.MULTILINE)[1].partition("\n## ")[0]
    cells = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")]
    return {cell for cell in cells if cell not in ("Graph", "Alarm", "Message")}


@cache
def graphs(program: str) -> frozenset[str]:
    (dashboard,) = real(program).of_type("aws_cloudwatch_dashboard")[:1]
    body = json.loads(re.sub(r"\$\{[^}]*\}", "known-at-apply", dashboard.arguments["dashboard_body"]))
    return frozenset(one["properties"]["title"] for one in body["widgets"] if one["type"] != "text")


@cache
def alarms(program: str) -> frozenset[str]:
    names = [one.arguments["alarm_name"] for one in real(program).of_type("aws_cloudwatch_metric_alarm")]
    told = (VARIANT.sub("-<variant>", PIPELINE.sub("<pipeline>", name)) for name in names)
    return frozenset(NUMBER.sub("-<number>", name) for name in told)


@cache
def alarms_of_templates(program: str) -> frozenset[str]:
    resources: list[tuple[str, Any]] = [
        each for _, template in endpoint_templates(real(program)) for each in template["Resources"].items()
    ]
    names = [name for name, one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    return frozenset(name.removeprefix("Secondary") for name in names)


def shown_graphs() -> set[str]:
    cells = [cell.replace(", DEV", "; DEV") for cell in rows("The dashboard")]
    return {part.strip() for cell in cells for part in cell.split(";")}


def named(cells: set[str]) -> set[str]:
    """The names in code at the beginning of each cell."""
    return {cell.split("`")[1] for cell in cells if cell.startswith("`")}


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_graph_is_explained(program: str) -> None:
    assert graphs(program) - shown_graphs() == set()


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_alarm_is_explained(program: str) -> None:
    assert (alarms(program) | alarms_of_templates(program)) - named(rows("The alarms")) == set()


def test_nothing_is_explained_that_no_program_has() -> None:
    every_graph = frozenset().union(*map(graphs, PROGRAMS))
    every_alarm = frozenset().union(*map(alarms, PROGRAMS), *map(alarms_of_templates, PROGRAMS))
    assert shown_graphs() - every_graph == set()
    # Application Auto Scaling makes these.
    assert named(rows("The alarms")) - every_alarm == {"TargetTracking-..."}


def test_every_message_of_the_function_is_explained() -> None:
    subjects = set(re.findall(r'f"\{(?:settings\.)?pipeline\}: ([^"]+)"', NOTIFY))
    assert rows("Messages of the function notify-people") == subjects
    assert len(subjects) == 3


def test_every_message_of_the_watch_is_explained() -> None:
    told = {"drift in FEATURE", "fewer predictions are right", "fewer right predictions are expected"}
    assert rows("Messages of the function watch-traffic") == told
    assert all(message.removesuffix("FEATURE") in WATCH for message in told)


def test_the_page_names_the_default_number_of_metrics() -> None:
    stack = real("main.py")
    queries = [one.arguments.get("metric_query", []) for one in stack.of_type("aws_cloudwatch_metric_alarm")]
    own = sum(sum("metric" in one for one in query) or 1 for query in queries)
    resources = [one for _, template in endpoint_templates(stack) for one in template["Resources"].values()]
    watched = [one["Properties"] for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    of_rollout = sum(sum("MetricStat" in one for one in alarm.get("Metrics", [])) or 1 for alarm in watched)
    counted = re.findall(r"InvocationsFailedToBeSentToDlq|DeadLetterErrors", str(queries))
    assert (own + of_rollout, of_rollout, len(counted)) == (22, 3, 12)
    assert "these are 22 metrics, three of them of the rollout and 12 of\nlost events" in PAGE


def test_the_page_says_what_to_do_when_an_event_of_a_rule_or_function_is_lost() -> None:
    watched = set()
    for program in PROGRAMS:
        for alarm in real(program).of_type("aws_cloudwatch_metric_alarm"):
            for query in alarm.arguments.get("metric_query", []):
                dimensions = query.get("metric", {}).get("dimensions", {})
                found = dimensions.get("RuleName") or dimensions.get("FunctionName")
                watched |= {PIPELINE.sub("", found)[1:]} if found else set()
    section = PAGE.partition("## Lost events")[2].partition("## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    told = set(re.findall(r"`([a-z-]+)`", "".join(cells)))
    assert watched - told == set()
    # What no program of the repository has, but a pipeline can have.
    assert told - watched <= {"on-schedule", "start-newest", "on-batch-schedule", "on-new-data"}
