"""The cases of a sweep: every call in every way, each a fault that can be injected."""

from __future__ import annotations

from random import Random

from mlops_constructs.local_aws.faults.kinds import make_fault
from mlops_constructs.local_aws.faults.recorder import Call
from mlops_constructs.rehearsal.sweep import MODES, sample, sweep

CALLS = [
    Call("iris-train-model", "sagemaker", "CreateTrainingJob"),
    *[Call("iris-train-model", "sagemaker", "DescribeTrainingJob")] * 7,
    *[Call("iris-record-release", "s3", "PutObject")] * 2,
    Call("iris-record-release", "cloudformation", "DescribeStacks"),
    Call("iris-retrain", "lambda", "Invoke"),
    Call("iris-retrain", "codepipeline", "PutJobSuccessResult"),
    Call("iris-retrain", "sns", "Publish"),
    Call("iris-smoke-test", "sagemaker-runtime", "InvokeEndpoint"),
    Call("iris-evaluate", "ssm", "GetParameter"),
]


def test_each_case_is_a_fault_that_aws_can_have() -> None:
    for case in sweep(CALLS, "iris"):
        make_fault(case.fault, (), {}, Random(0))


def test_what_changes_something_is_hit_each_time_and_what_reads_once() -> None:
    ids = [case.id for case in sweep(CALLS, "iris")]
    assert len(ids) == len(set(ids)) == 3 * 10
    assert [one for one in ids if "PutObject" in one and one.startswith("lost")] == [
        "lost record-release s3.PutObject",
        "lost record-release s3.PutObject (2)",
    ]
    assert len([one for one in ids if "DescribeTrainingJob" in one]) == len(MODES)


def test_a_case_names_the_function_and_the_call() -> None:
    cases = {case.id: case.fault for case in sweep(CALLS, "iris")}
    assert (
        cases["refused record-release s3.PutObject (2)"] == "refuse:s3.PutObject:SlowDown:caller=record-release:nth=2"
    )
    assert (
        cases["killed train-model sagemaker.CreateTrainingJob"] == "kill:train-model:after=sagemaker.CreateTrainingJob"
    )


def test_a_sample_has_each_function_and_mode_before_one_comes_again() -> None:
    cases = list(sweep(CALLS, "iris"))
    kinds = {tuple(case.id.split()[:2]) for case in cases}
    drawn = sample(cases, len(kinds), 7)
    assert {tuple(case.id.split()[:2]) for case in drawn} == kinds
    assert drawn == sample(cases, len(kinds), 7)
    assert drawn != sample(cases, len(kinds), 8)
    assert sorted(case.id for case in sample(cases, 1_000, 7)) == sorted(case.id for case in cases)
