"""What CodePipeline would refuse at CreatePipeline is refused at synth, for every pipeline that is made."""

from __future__ import annotations

from typing import Any

import pytest
from synthesis import ROOT, synth

from mlops_constructs import Algorithm, ConfigError, Dataset, Evaluation, EvaluationJob, Training
from mlops_constructs._aws.actions import Action, PipelineStage, Variable, invoke
from mlops_constructs._aws.definition import definition_problems
from mlops_constructs._aws.pipeline import Pipeline

CONFIGURATIONS: list[dict[str, Any]] = [
    {},
    {"algorithm": Algorithm.from_codecommit("algorithm")},
    {"algorithm": Algorithm.from_git("GitHub", "team/algorithm", retrain_on_new_image=True)},
    {"algorithm": Algorithm.from_image("111122223333.dkr.ecr.us-east-1.amazonaws.com/algorithm@sha256:" + "0" * 64)},
    {"dataset": Dataset(schedule_expression="rate(1 day)"), "training": Training(max_runtime_in_seconds=20 * 86_400)},
    {"evaluation": Evaluation(metric="f1", job=EvaluationJob())},
]


def source(**changes: Any) -> Action:
    """Make a source action that CodePipeline takes, but for the changes."""
    given: dict[str, Any] = {
        "name": "Data",
        "category": "Source",
        "action_provider": "S3",
        "configuration": {"S3Bucket": "b"},
        "namespace": "Data",
        "outputs": ["Object"],
    }
    return Action(**given | changes)


def call(name: str, value: str, **options: Any) -> Action:
    return invoke(name, "function", parameters={"value": value}, **options)


def told(*stages: PipelineStage, variables: tuple[Variable, ...] = ()) -> dict[str, str]:
    return {problem.field: problem.rule for problem in definition_problems(stages, variables)}


@pytest.mark.parametrize("options", CONFIGURATIONS)
def test_no_namespace_is_called_like_an_artifact(options: dict[str, Any]) -> None:
    for definition in synth(**options).all("aws_codepipeline").values():
        actions = [action for stage in definition["stage"] for action in stage["action"]]
        namespaces = [action["namespace"] for action in actions if "namespace" in action]
        outputs = [name for action in actions for name in action.get("output_artifacts", [])]
        assert set(namespaces).isdisjoint(outputs)
        assert len(set(namespaces)) == len(namespaces)
        assert len(set(outputs)) == len(outputs)


def test_a_namespace_that_is_called_like_an_artifact_is_refused() -> None:
    problems = told(PipelineStage("Source", [source(outputs=["Data"])]))
    assert problems == {"Source.Data.namespace": "must not be the name of an artifact"}


def test_a_pipeline_is_not_made_of_what_codepipeline_refuses() -> None:
    made = synth().pipeline
    with pytest.raises(ConfigError, match=r"Source\.Data\.namespace: must not be the name of an artifact, got 'Data'"):
        Pipeline(
            made,
            "other",
            name="other",
            purpose="pipeline",
            env=made._env,
            stages=[PipelineStage("Source", [source(outputs=["Data"])])],
            permissions=[],
        )
    assert made.node.try_find_child("other") is None


def test_every_pipeline_is_made_where_it_is_checked() -> None:
    makers = [path for path in (ROOT / "mlops_constructs").rglob("*.py") if ".Codepipeline(" in path.read_text()]
    assert [path.name for path in makers] == ["pipeline.py"]
    assert makers[0].parent.name == "_aws"


def test_what_codepipeline_takes_is_taken() -> None:
    stages = (
        PipelineStage("Source", [source()]),
        PipelineStage(
            "Use",
            [
                call("First", "#{Data.VersionId} #{variables.Release}", namespace="First", outputs=["Made"]),
                Action(
                    name="Second",
                    category="Build",
                    action_provider="CodeBuild",
                    run_order=2,
                    inputs=["Object", "Made"],
                    configuration={"EnvironmentVariables": "#{First.Chosen} #{codepipeline.PipelineExecutionId}"},
                ),
            ],
        ),
    )
    assert told(*stages, variables=(Variable(name="Release", default="none", description="d"),)) == {}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("#{Other.VersionId}", "no such namespace"),
        ("#{Data.CommitId}", "a variable of another provider"),
        ("#{variables.Release}", "not declared"),
        ("#{codepipeline.Name}", "CodePipeline has one variable"),
        ("#{Later.Answer}", "set later"),
        ("#{Twin.Answer}", "set at the same time"),
        ("#{Data}", "no variable"),
    ],
)
def test_a_variable_that_does_not_exist_is_refused(value: str, why: str) -> None:
    stages = (
        PipelineStage("Source", [source()]),
        PipelineStage(
            "Use",
            [
                call("Uses", value, run_order=1),
                call("Twin", "x", run_order=1, namespace="Twin"),
                call("Later", "x", run_order=2, namespace="Later"),
            ],
        ),
    )
    assert told(*stages) == {"Use.Uses.UserParameters": "must name variables that exist when the action runs"}, why


@pytest.mark.parametrize(
    ("stages", "field"),
    [
        ([PipelineStage("A", [source()]), PipelineStage("A", [call("Other", "x")])], "A"),
        ([PipelineStage("A", [call("B", "x"), call("B", "x")])], "A.B"),
        ([PipelineStage("A", [source(), source(name="B", outputs=["C"])])], "A.B.namespace"),
        ([PipelineStage("A", [source(), source(name="B", namespace="C")])], "A.B.outputs"),
        ([PipelineStage("A", [source(inputs=["Nowhere"])])], "A.Data.inputs"),
        ([PipelineStage("A", [source(outputs=["dotted.name"])])], "A.Data.artifact"),
        ([PipelineStage("A", [call("with space", "x")])], "A.with space.name"),
        ([PipelineStage("A", [source(namespace="dotted.name")])], "A.Data.namespace"),
    ],
)
def test_a_name_that_codepipeline_refuses_is_told_at_its_place(stages: list[PipelineStage], field: str) -> None:
    assert set(told(*stages)) == {field}
