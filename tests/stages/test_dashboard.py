"""The dashboard: CloudWatch accepts it, and it shows what the stack has and nothing else."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from synthesis import Synthesized, synth

from mlops_constructs import ABTest, Algorithm, Dataset, Endpoint, Existing, Rollout

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-east-1"
IMAGE = f"111122223333.dkr.ecr.us-east-1.amazonaws.com/app@sha256:{'0' * 64}"
QUEUE = "arn:aws:sqs:us-east-1:111122223333:lost"
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
WIDGETS, METRICS = 500, 500
VIEWS = {"timeSeries", "singleValue", "gauge", "bar", "pie", "table"}
STATISTICS = re.compile(r"SampleCount|Average|Sum|Minimum|Maximum|p\d{1,2}(\.\d+)?")
BODY_KEYS = {"start", "end", "periodOverride", "widgets", "variables"}
WIDGET_KEYS = {"type", "x", "y", "width", "height", "properties"}
METRIC_KEYS = {"title", "region", "view", "stacked", "period", "stat", "metrics", "yAxis", "annotations", "legend"}
RENDERING_KEYS = {"id", "label", "stat", "period", "visible", "yAxis", "color", "region", "accountId"}
# Words of metric math that are no ids.
FUNCTIONS = {"FILL", "SUM", "IF", "REPEAT"}


def faults(body: dict[str, Any]) -> list[str]:
    """Say what CloudWatch would refuse or would not draw, widget by widget."""
    found = [f"unknown: {key}" for key in body.keys() - BODY_KEYS]
    if not re.fullmatch(r"-P(T\d+[HM]|\d+[DWM])", body.get("start", "-PT3H")):
        found.append("start")
    if body.get("periodOverride", "auto") not in ("auto", "inherit"):
        found.append("periodOverride")
    widgets = body["widgets"]
    if len(widgets) > WIDGETS:
        found.append(f"{len(widgets)} widgets")
    for number, widget in enumerate(widgets):
        found += [f"widget {number}: {fault}" for fault in widget_faults(widget)]
    overlapping = [pair for pair in combinations(widgets, 2) if overlap(*pair)]
    return found + ["widgets on top of each other" for _ in overlapping]


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(
        one["x"] < other["x"] + other["width"]
        and other["x"] < one["x"] + one["width"]
        and one["y"] < other["y"] + other["height"]
        and other["y"] < one["y"] + one["height"]
    )


def widget_faults(widget: dict[str, Any]) -> Iterator[str]:
    yield from (f"unknown: {key}" for key in widget.keys() - WIDGET_KEYS)
    if any(type(widget[key]) is not int for key in ("x", "y", "width", "height")):
        yield "a place that is no integer"
    if not (0 <= widget["x"] <= 23 and widget["y"] >= 0 and 1 <= widget["height"] <= 1000):
        yield "outside of the grid"
    if not 1 <= widget["width"] <= 24 or widget["x"] + widget["width"] > 24:
        yield "wider than the grid"
    properties = widget["properties"]
    if widget["type"] == "text":
        if properties.keys() - {"background"} != {"markdown"} or not isinstance(properties["markdown"], str):
            yield "a text without markdown"
    elif widget["type"] == "metric":
        yield from graph_faults(properties)
    else:
        yield f"type {widget['type']}"


def graph_faults(properties: dict[str, Any]) -> Iterator[str]:
    yield from (f"unknown: {key}" for key in properties.keys() - METRIC_KEYS)
    if not properties.get("region"):
        yield "no region"
    if properties.get("view", "timeSeries") not in VIEWS:
        yield "view"
    if properties.get("period", 300) % 60 or properties.get("period", 300) < 60:
        yield "period"
    if not 1 <= len(properties["metrics"]) <= METRICS:
        yield f"{len(properties['metrics'])} metrics"
    if properties.get("yAxis", {}).keys() - {"left", "right"}:
        yield "yAxis"
    for line in properties.get("annotations", {}).get("horizontal", []):
        if line.keys() - {"value", "label", "color", "fill", "yAxis", "visible"} or "value" not in line:
            yield "a horizontal line"
    yield from metrics_faults(properties["metrics"])


def metrics_faults(metrics: list[list[Any]]) -> Iterator[str]:
    ids = [entry[-1]["id"] for entry in metrics]
    if len(ids) != len(set(ids)):
        yield "an id twice"
    for entry in metrics:
        yield from entry_faults(entry)
        unknown = used(entry[0]["expression"]) - set(ids) if isinstance(entry[0], dict) else set()
        yield from (f"an expression of {name}, which is not there" for name in unknown)


def entry_faults(entry: list[Any]) -> Iterator[str]:
    """``[{expression}]`` or ``[namespace, name, dimension, value, ..., {rendering properties}]``."""
    shown = entry[-1]
    if re.fullmatch(r"[a-z][A-Za-z0-9_]{0,254}", shown.get("id", "")) is None:
        yield f"id {shown.get('id')}"
    if isinstance(entry[0], dict):
        if len(entry) != 1 or not {"expression", "label"} <= entry[0].keys() <= {"expression", "label", "id"}:
            yield "an expression"
        return
    if len(entry) < 3 or len(entry) % 2 == 0 or not all(isinstance(part, str) for part in entry[:-1]):
        yield "a metric without a name, or a dimension without a value"
    if shown.keys() - RENDERING_KEYS:
        yield "rendering properties"
    if not STATISTICS.fullmatch(shown.get("stat", "Average")):
        yield f"stat {shown['stat']}"


def used(expression: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", expression)) - FUNCTIONS


def body_of(stack: Synthesized) -> dict[str, Any]:
    """Give the body as Terraform sends it: with the region, and the name of an existing queue."""
    text = stack.one("aws_cloudwatch_dashboard")["dashboard_body"]
    text = re.sub(r"\$\{data\.aws_region\.[^}]+\}", REGION, text)
    found: dict[str, Any] = json.loads(re.sub(r"\$\{element\(split\(\":\", \"([^\"]+)\"\), 5\)\}", taken, text))
    return found


def taken(match: re.Match[str]) -> str:
    return match[1].split(":")[5]


def metrics_of(body: dict[str, Any], *titles: str) -> list[list[Any]]:
    graphs = [one["properties"] for one in body["widgets"] if one["type"] == "metric"]
    wanted = [graph for graph in graphs if not titles or graph["title"] in titles]
    assert wanted
    return [entry for graph in wanted for entry in graph["metrics"]]


def dimensions(body: dict[str, Any], name: str) -> set[str]:
    entries = [entry for entry in metrics_of(body) if isinstance(entry[0], str)]
    return {entry[at + 1] for entry in entries for at in range(2, len(entry) - 1, 2) if entry[at] == name}


PLAIN: dict[str, Any] = {}
FORMS: dict[str, dict[str, Any]] = {
    "one variant": PLAIN,
    "two variants": {"ab_test": ABTest()},
    "no rollout": {"production": Endpoint(initial_instance_count=2)},
    "an existing queue": {"existing": Existing(dead_letter_queue_arn=QUEUE)},
    "on a schedule": {"dataset": Dataset(schedule_expression="rate(1 day)")},
    "an image": {"algorithm": Algorithm.from_image(IMAGE)},
}


@pytest.mark.parametrize("form", FORMS)
def test_cloudwatch_accepts_it(form: str) -> None:
    assert faults(body_of(synth(**FORMS[form]))) == []


@pytest.mark.parametrize("form", FORMS)
def test_it_shows_every_function_and_only_those_of_the_stack(form: str) -> None:
    stack = synth(**FORMS[form])
    body = body_of(stack)
    names = {function["function_name"] for function in stack.all("aws_lambda_function").values()}
    # It runs once, when the dashboard is about to be deleted.
    names.remove(f"{stack.pipeline.name}-guard-destroy")
    assert dimensions(body, "FunctionName") == names
    for title in ("Functions: errors", "Functions: duration"):
        assert len(metrics_of(body, title)) == len(names)


@pytest.mark.parametrize("form", FORMS)
def test_its_rules_pipelines_and_queue_are_those_of_the_stack(form: str) -> None:
    stack = synth(**FORMS[form])
    body = body_of(stack)
    assert dimensions(body, "RuleName") < {rule["name"] for rule in stack.all("aws_cloudwatch_event_rule").values()}
    assert dimensions(body, "PipelineName") == {one["name"] for one in stack.all("aws_codepipeline").values()}
    queues = {queue["name"] for queue in stack.all("aws_sqs_queue").values()}
    assert dimensions(body, "QueueName") == (queues or {"lost"})


@pytest.mark.parametrize(
    ("form", "variants"), [("one variant", {"primary"}), ("two variants", {"primary", "secondary"})]
)
def test_its_endpoints_and_variants_are_those_that_are_deployed(form: str, variants: set[str]) -> None:
    stack = synth(**FORMS[form])
    body = body_of(stack)
    pipeline = stack.pipeline
    assert dimensions(body, "EndpointName") == {pipeline.production_endpoint, pipeline.dev_endpoint}
    assert dimensions(body, "VariantName") == variants
    dev = [entry for entry in metrics_of(body) if pipeline.dev_endpoint in entry]
    assert {entry[5] for entry in dev} == {"primary"}


def test_two_variants_show_their_share_of_the_invocations() -> None:
    shares = [
        entry[0] for entry in metrics_of(body_of(synth(ab_test=ABTest())), "Production: share of the invocations")
    ]
    expressions = [entry["expression"] for entry in shares if isinstance(entry, dict)]
    assert expressions == [
        "100 * requests_primary / SUM([requests_primary, requests_secondary])",
        "100 * requests_secondary / SUM([requests_primary, requests_secondary])",
    ]
    titles = {one["properties"].get("title") for one in body_of(synth())["widgets"]}
    assert "Production: share of the invocations" not in titles


def test_the_limit_of_a_rollout_is_a_line_among_the_errors() -> None:
    production = Endpoint.for_production(rollout=Rollout(max_server_error_percent=2.5))
    graphs = {
        one["properties"].get("title"): one["properties"] for one in body_of(synth(production=production))["widgets"]
    }
    (line,) = graphs["Production: errors"]["annotations"]["horizontal"]
    assert line["value"] == 2.5
    assert "annotations" not in graphs["DEV: errors"]


def test_the_name_has_the_region_because_a_dashboard_has_none() -> None:
    stack = synth()
    name = stack.one("aws_cloudwatch_dashboard")["dashboard_name"]
    assert re.fullmatch(rf"{stack.pipeline.name}-\$\{{data\.aws_region\.[^}}]+\}}", name)


GRAPH = {"region": REGION, "metrics": [["A", "B", "C", "D", {"id": "a", "stat": "p99"}]]}
PLACE = {"type": "metric", "x": 0, "y": 0, "width": 6, "height": 6}


def changed(**properties: object) -> dict[str, Any]:
    return {"widgets": [{**PLACE, "properties": {**GRAPH, **properties}}]}


@pytest.mark.parametrize(
    "body",
    [
        {"widgets": [], "beginning": "-P7D"},
        {"widgets": [], "start": "7 days"},
        {"widgets": [{**PLACE, "y": 6 * at, "properties": GRAPH} for at in range(501)]},
        {"widgets": [{**PLACE, "properties": GRAPH}, {**PLACE, "x": 5, "properties": GRAPH}]},
        {"widgets": [{**PLACE, "x": 19, "properties": GRAPH}]},
        {"widgets": [{**PLACE, "width": 25, "properties": GRAPH}]},
        {"widgets": [{**PLACE, "height": 0, "properties": GRAPH}]},
        {"widgets": [{**PLACE, "type": "text", "properties": {}}]},
        {"widgets": [{**PLACE, "type": "graph", "properties": GRAPH}]},
        changed(region=""),
        changed(view="line"),
        changed(period=90),
        changed(metrics=[]),
        changed(metrics=[["A", "B", {"id": "Large"}]]),
        changed(metrics=[["A", "B", "C", {"id": "a"}]]),
        changed(metrics=[["A", "B", {"id": "a", "stat": "median"}]]),
        changed(metrics=[["A", "B", {"id": "a"}], ["A", "C", {"id": "a"}]]),
        changed(metrics=[[{"expression": "a / b", "label": "x", "id": "c"}], ["A", "B", {"id": "a"}]]),
        changed(annotations={"horizontal": [{"label": "without a value"}]}),
    ],
)
def test_the_checker_finds_what_cloudwatch_refuses(body: dict[str, Any]) -> None:
    assert faults(changed()) == []
    assert faults(body) != []
