"""``mlops ab`` against a local AWS: real weights of a real endpoint; and what must not be done is not done."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cli.ab_world import CHALLENGER_EXECUTION, CHAMPION_EXECUTION, ENDPOINT, NAME, PLAIN, World, ab_world, report
from local_aws.tiny_container import make_role
from local_aws.tiny_pipeline import ARTIFACTS

from mlops_constructs.cli.main import main
from mlops_constructs.deployed import ab_endpoint, ab_turn
from mlops_constructs.deployed.ab_record import Intent, Record
from mlops_constructs.local_aws.credentials import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from mlops_constructs.local_aws.roles import role_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ab_world(tmp_path_factory.mktemp("container")) as world:
        yield world


@pytest.fixture
def world(made: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
    monkeypatch.setenv("AWS_ENDPOINT_URL", made.aws.url)
    monkeypatch.setattr(ab_endpoint, "_POLL_SECONDS", 0.02)
    monkeypatch.setattr(ab_turn, "_POLL_SECONDS", 0.02)
    made.reset()
    return made


def without(world: World, monkeypatch: pytest.MonkeyPatch, *actions: str) -> None:
    """Let the commands have the credentials of a role that may do everything but some actions."""
    iam = world.aws.client("iam")
    name = f"operator-{len(iam.list_roles(MaxItems=1000)['Roles'])}"
    arn = make_role(world.aws, name, "ec2.amazonaws.com")
    denied = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": actions, "Resource": "*"}}
    iam.put_role_policy(RoleName=name, PolicyName="denied", PolicyDocument=json.dumps(denied))
    keys = role_credentials(world.aws.account, arn, "test")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", keys["SessionToken"])


def command_intent(kind: str = "shift", *, expired: bool, share: float | None = 0.3) -> Intent:
    since = time.time() - (2000 if expired else 10)
    return Intent(kind=kind, by="command c0ffee", since=since, expires=since + 900, share=share)


def shares_of(record: Record) -> list[tuple[float, bool]]:
    """Each segment's share, and whether it is closed."""
    assert record.test is not None
    return [(segment.share, segment.until is not None) for segment in record.test.segments]


# shift


@pytest.mark.parametrize("to", ["25%", "0.25"])
def test_a_shift_changes_the_weights_and_writes_them_down(
    world: World, capsys: pytest.CaptureFixture[str], to: str
) -> None:
    began = time.time()
    assert main(["ab", "shift", NAME, "--to", to]) == 0
    assert capsys.readouterr().out == f"The challenger of {NAME} gets 25 % of the traffic now, 10 % before.\n"
    assert world.shares() == {"primary": 0.75, "secondary": 0.25}
    record = world.read()
    assert (record.share, record.intent, record.why) == (0.25, None, "the challenger gets 0.25 of the traffic")
    assert shares_of(record) == [(0.1, True), (0.25, False)]
    assert record.test is not None
    before, now = record.test.segments
    # Between them, the weights were on their way.
    assert began <= (before.until or 0.0) < now.since <= time.time()
    # Once more changes nothing.
    assert main(["ab", "shift", NAME, "--to", to]) == 0
    assert capsys.readouterr().out == f"The challenger of {NAME} has 25 % of the traffic already.\n"
    assert world.read() == record


def test_a_shift_is_told_as_json(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ab", "shift", NAME, "--to", "0.25", "--json"]) == 0
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert told.pop("before") == pytest.approx(0.1)
    assert told == {"pipeline": NAME, "share": 0.25, "weights_changed": True, "instances_asked": None}
    assert captured.err == ""


@pytest.mark.parametrize(
    ("to", "limits", "expected"),
    [
        ("50%", (1, 3), {"primary": 3, "secondary": 2}),
        ("60%", (1, 3), {"primary": 3, "secondary": 3}),
        ("60%", (1, 2), {"primary": 3, "secondary": 2}),
        ("20%", (1, 3), {"primary": 3, "secondary": 1}),
        ("60%", None, {"primary": 3, "secondary": 1}),
    ],
    ids=["half", "more", "as many as it may have", "it has enough", "not scaled"],
)
def test_the_receiver_gets_its_instances_first_as_far_as_autoscaling_allows(
    world: World, to: str, limits: tuple[int, int] | None, expected: dict[str, int]
) -> None:
    world.change({"VariantName": "primary", "DesiredInstanceCount": 3})
    if limits is not None:
        world.scale("secondary", *limits)
    assert main(["ab", "shift", NAME, "--to", to]) == 0
    assert world.instances() == expected
    assert world.shares()["secondary"] == float(to[:-1]) / 100


@pytest.mark.parametrize("verb", ["shift", "ramp"])
@pytest.mark.parametrize("to", ["0%", "0", "100%", "1", "25", "-5%", "101%", "0.0001", "half", "", "nan", "1e-1"])
def test_a_share_that_is_none_is_a_wrong_argument(verb: str, to: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ab", verb, NAME, f"--to={to}"])
    assert ended.value.code == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "argument --to: must be a share from 0.1% to 99.9%, such as 25% or 0.25, got " in told


def test_weights_that_were_changed_by_hand_are_set_by_a_shift(world: World) -> None:
    world.weigh(1.0, 1.0)
    assert main(["ab", "shift", NAME, "--to", "10%"]) == 0
    assert world.shares() == {"primary": 0.9, "secondary": 0.1}


def test_a_live_command_is_named_and_nothing_is_changed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(replace(world.read(), intent=command_intent(expired=False)))
    before = world.read()
    assert main(["ab", "shift", NAME, "--to", "25%"]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"mlops ab shift: command c0ffee has been changing {NAME} since ")
    assert "it counts as crashed from" in told
    assert (world.read(), world.shares()) == (before, {"primary": 0.9, "secondary": 0.1})


@pytest.mark.parametrize("weights", [(0.9, 0.1), (0.7, 0.3), (0.5, 0.5)], ids=["before", "done", "neither"])
def test_what_a_crashed_command_has_left_is_written_down_first(world: World, weights: tuple[float, float]) -> None:
    intent = command_intent(expired=True)
    world.write(world.record().begun(intent, intent.since))
    world.weigh(*weights)
    assert main(["ab", "shift", NAME, "--to", "25%"]) == 0
    record = world.read()
    assert shares_of(record) == [(0.1, True), (pytest.approx(weights[1]), True), (0.25, False)]
    assert (record.intent, world.shares()["secondary"]) == (None, 0.25)


def test_a_crashed_abort_is_finished_and_then_there_is_no_test_to_shift(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.write(replace(world.read(), intent=command_intent("abort", expired=True), why="it answers nonsense"))
    assert main(["ab", "shift", NAME, "--to", "25%"]) == 1
    assert f"mlops ab shift: no A/B test of {NAME} runs; the next release begins one" in capsys.readouterr().err
    record = world.read()
    assert world.shares() == {"primary": 1.0, "secondary": 0.0}
    assert record.test is not None
    assert (record.test.state, record.test.why, record.intent) == ("aborted", "it answers nonsense", None)


@pytest.mark.parametrize("verb", [["shift", "--to", "25%"], ["promote", "--override", "I say so"]])
@pytest.mark.parametrize("live", [True, False])
def test_nothing_is_changed_while_an_execution_changes_or_after_it_failed_in_the_middle(
    world: World, capsys: pytest.CaptureFixture[str], verb: list[str], live: bool
) -> None:
    execution = world.bench.start(NAME) if live else world.ended()
    intent = Intent(kind="release", by=f"execution {execution}", since=time.time())
    world.write(replace(world.read(), intent=intent))
    before = world.read()
    assert main(["ab", verb[0], NAME, *verb[1:]]) == 1
    told = capsys.readouterr().err
    if live:
        assert f"execution {execution} has been changing the variants of {NAME} since " in told
    else:
        assert (
            f"execution {execution} ended in the middle of a release of {NAME}; the champion gets all requests; the"
            f" next release or `mlops ab abort {NAME}` cleans up"
        ) in told
    assert (world.read(), world.shares()) == (before, {"primary": 0.9, "secondary": 0.1})
    assert world.running() == ([execution] if live else [])


def test_a_lost_race_names_the_winner_and_changes_nothing(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The other one writes after this one has looked at everything, and before it writes.
    needed = ab_endpoint.Endpoint.needed

    def slow(*arguments: Any) -> int | None:
        world.write(replace(world.read(), intent=command_intent(expired=False), version=9))
        return needed(*arguments)

    monkeypatch.setattr(ab_endpoint.Endpoint, "needed", slow)
    assert main(["ab", "shift", NAME, "--to", "25%"]) == 1
    assert capsys.readouterr().err.startswith(
        f"mlops ab shift: command c0ffee (shift) was faster and changed the A/B test of {NAME}; nothing was changed"
    )
    assert (world.read().version, world.shares()["secondary"]) == (9, 0.1)


def test_a_shift_that_comes_after_the_guards_abort_is_undone(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_weights = ab_endpoint.Endpoint.set_weights

    def late(self: ab_endpoint.Endpoint, weights: dict[str, float]) -> None:
        if world.read().running is not None:
            world.write(world.read().aborted(time.time(), "the guard"))
        set_weights(self, weights)

    monkeypatch.setattr(ab_endpoint.Endpoint, "set_weights", late)
    assert main(["ab", "shift", NAME, "--to", "25%"]) == 1
    assert "took over in the middle of this command" in capsys.readouterr().err
    assert world.shares() == {"primary": 1.0, "secondary": 0.0}
    assert world.read().running is None


def test_of_two_shifts_at_once_the_record_is_that_of_the_weights(world: World) -> None:
    codes: list[int] = []
    start = threading.Barrier(2)

    def run(to: str) -> None:
        from mlops_constructs.deployed import DeployedPipeline, connect
        from mlops_constructs.deployed.ab_test import ABTests
        from mlops_constructs.errors import MlopsError

        tests = ABTests(DeployedPipeline.read(connect(), NAME))
        start.wait()
        try:
            tests.shift(float(to))
        except MlopsError:
            codes.append(1)
        else:
            codes.append(0)

    threads = [threading.Thread(target=run, args=(to,)) for to in ("0.25", "0.4")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = world.read()
    assert 0 in codes
    assert (record.intent, world.shares()["secondary"]) == (None, record.share)
    assert shares_of(record)[-1] == (record.share, False)


def test_a_call_that_is_refused_after_the_intent_leaves_none(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without(world, monkeypatch, "sagemaker:UpdateEndpointWeightsAndCapacities")
    assert main(["ab", "shift", NAME, "--to", "25%"]) == 1
    assert "UpdateEndpointWeightsAndCapacities was refused with AccessDenied" in capsys.readouterr().err
    record = world.read()
    assert (record.intent, record.share, world.shares()["secondary"]) == (None, 0.1, 0.1)
    assert shares_of(record) == [(0.1, True), (0.1, False)]


@pytest.mark.parametrize("verb", [["shift", "--to", "25%"], ["abort"]])
def test_an_interrupted_command_leaves_what_the_next_one_finishes_at_once(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verb: list[str]
) -> None:
    wait = ab_endpoint.Endpoint.wait

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(ab_endpoint.Endpoint, "wait", interrupted)
    assert main(["ab", verb[0], NAME, *verb[1:]]) == 130
    assert f"`mlops ab status {NAME}` shows" in capsys.readouterr().err
    intent = world.read().intent
    assert intent is None or intent.expired(time.time())
    monkeypatch.setattr(ab_endpoint.Endpoint, "wait", wait)
    world.settled()
    assert main(["ab", verb[0], NAME, *verb[1:]]) == 0
    assert world.read().intent is None
    assert world.shares()["secondary"] == (0.25 if verb[0] == "shift" else 0.0)


def test_a_model_that_was_changed_by_hand_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    challenger = replace(world.deployed("secondary", CHALLENGER_EXECUTION), model_data_url="s3://models/other.tar.gz")
    world.write(world.record(challenger=challenger))
    assert main(["ab", "shift", NAME, "--to", "25%"]) == 1
    told = capsys.readouterr().err
    assert "mlops ab shift: the variant secondary of the challenger serves the model " in told
    assert "it was changed by hand; nothing was changed" in told
    assert world.shares()["secondary"] == 0.1


@pytest.mark.parametrize(
    ("place", "status", "told"),
    [
        ("stack", "UPDATE_IN_PROGRESS", f"the stack {ENDPOINT} is UPDATE_IN_PROGRESS: wait until its update has ended"),
        ("endpoint", "Updating", f"the endpoint {ENDPOINT} is Updating: wait until it is InService"),
    ],
)
@pytest.mark.parametrize("verb", [["shift", "--to", "25%"], ["promote", "--override", "I say so"]])
def test_nothing_is_changed_while_the_stack_or_the_endpoint_updates(
    world: World,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    verb: list[str],
    place: str,
    status: str,
    told: str,
) -> None:
    before = world.read()
    if place == "stack":
        stack = world.aws_stack()
        monkeypatch.setattr(stack, "status", status)
    else:
        monkeypatch.setattr(world.aws.sagemaker.endpoints.find(ENDPOINT), "status", status)
    assert main(["ab", verb[0], NAME, *verb[1:]]) == 1
    assert f"mlops ab {verb[0]}: {told}; nothing was changed" in capsys.readouterr().err
    assert (world.read(), world.running()) == (before, [])


@pytest.mark.parametrize(
    "verb", [["status"], ["shift", "--to", "25%"], ["ramp", "--to", "25%"], ["promote"], ["abort"]]
)
def test_a_pipeline_without_ab_tests_or_without_a_champion_says_so(
    world: World, capsys: pytest.CaptureFixture[str], verb: list[str]
) -> None:
    assert main(["ab", verb[0], PLAIN, *verb[1:]]) == 1
    told = f"{PLAIN} has no A/B tests: give MLOpsPipeline an ABTest, and deploy it"
    assert capsys.readouterr().err == f"mlops ab {verb[0]}: {told}\n"
    world.s3.delete_object(Bucket=ARTIFACTS, Key=f"ab/{NAME}/record.json")
    assert main(["ab", verb[0], NAME, *verb[1:]]) == 1
    told = f"{NAME} has no champion yet: its first release becomes the champion"
    assert capsys.readouterr().err == f"mlops ab {verb[0]}: {told}\n"


def test_a_record_that_is_none_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.s3.put_object(Bucket=ARTIFACTS, Key=f"ab/{NAME}/record.json", Body=b"{")
    assert main(["ab", "status", NAME]) == 1
    uri = f"s3://{ARTIFACTS}/ab/{NAME}/record.json"
    assert f"{uri} is not the record of champion and challenger" in capsys.readouterr().err


# ramp


def test_a_ramp_shifts_in_equal_steps(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ab", "ramp", NAME, "--to", "50%", "--steps", "4", "--every", "0.01s"]) == 0
    assert [line.partition("gets ")[2][:4] for line in capsys.readouterr().out.splitlines()] == [
        "20 %",
        "30 %",
        "40 %",
        "50 %",
    ]
    assert [share for share, _ in shares_of(world.read())] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert world.shares() == {"primary": 0.5, "secondary": 0.5}


@pytest.mark.parametrize("said", ["abort", "investigate"])
def test_a_ramp_stops_where_the_report_wants_a_person(
    world: World, capsys: pytest.CaptureFixture[str], said: str
) -> None:
    world.judge(report(said))
    assert main(["ab", "ramp", NAME, "--to", "50%", "--every", "0.01s"]) == 1
    why = f"the report says to {said}: The outcomes fit both."
    told = f"mlops ab ramp: the ramp stops at 0.1 of the traffic, because {why}"
    assert told in capsys.readouterr().err
    assert world.shares()["secondary"] == 0.1


def test_a_ramp_without_any_report_stops(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.judge(None)
    assert main(["ab", "ramp", NAME, "--to", "50%"]) == 1
    told = "there is no report (the function iris-judge-ab-test failed: it broke; see its log: "
    assert told in capsys.readouterr().err
    assert world.shares()["secondary"] == 0.1


def test_an_interrupted_ramp_keeps_the_last_step_and_says_which(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep = time.sleep

    def interrupted(seconds: float) -> None:
        if seconds == 3600.0:
            raise KeyboardInterrupt
        sleep(seconds)

    monkeypatch.setattr("mlops_constructs.deployed.ab_test._sleep", interrupted)
    assert main(["ab", "ramp", NAME, "--to", "50%", "--every", "1h"]) == 130
    assert "interrupted; the challenger keeps 20 % of the traffic, that of the last step" in capsys.readouterr().err
    assert (world.read().share, world.read().intent, world.shares()["secondary"]) == (0.2, None, 0.2)


@pytest.mark.parametrize(
    ("option", "value"),
    [("--steps", "0"), ("--steps", "101"), ("--steps", "x"), ("--every", "30"), ("--every", "0m"), ("--every", "soon")],
)
def test_a_wrong_schedule_is_a_wrong_argument(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ab", "ramp", NAME, "--to", "50%", option, value])
    assert ended.value.code == 2
    assert f"argument {option}: must be a " in capsys.readouterr().err


def test_the_help_says_that_a_schedule_is_exact(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["ab", "ramp", "--help"])
    assert "the statistics stay exact" in " ".join(capsys.readouterr().out.split())


# promote


def test_a_promotion_starts_the_pipeline_on_the_challengers_release(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.judge(report("promote"))
    before = world.read()
    assert main(["ab", "promote", NAME]) == 0
    (execution,) = world.running()
    assert world.variables(execution) == {"Release": "2", "ABTest": "promote"}
    told = capsys.readouterr().out
    assert f"The challenger of {NAME}, release 2, is to become the champion with execution {execution}." in told
    assert f"mlops approve {NAME}" in told
    # Roles change in the pipeline.
    assert (world.read(), world.shares()["secondary"]) == (before, 0.1)


def test_without_the_verdict_only_an_override_promotes_and_it_is_recorded(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    before = world.read()
    assert main(["ab", "promote", NAME]) == 1
    assert (
        f"mlops ab promote: the report does not say that the challenger of {NAME} is to be promoted (continue: The"
        " outcomes fit both.); give --override REASON"
    ) in capsys.readouterr().err
    assert (world.read(), world.running()) == (before, [])
    assert main(["ab", "promote", NAME, "--override", "cheaper by half", "--json"]) == 0
    told, (execution,) = json.loads(capsys.readouterr().out), world.running()
    assert told == {"pipeline": NAME, "release": 2, "execution_id": execution, "override": "cheaper by half"}
    after = world.read()
    assert after.why == "promotion with an override: cheaper by half"
    assert before.test is not None
    overridden = replace(before, test=replace(before.test, why="override: cheaper by half"))
    assert replace(after, why="", by="", updated=0.0, version=0) == replace(
        overridden, why="", by="", updated=0.0, version=0
    )


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_override_needs_a_reason(reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ab", "promote", NAME, "--override", reason])
    assert ended.value.code == 2
    assert "argument --override: must be a reason, got nothing" in capsys.readouterr().err


def test_a_report_of_another_test_does_not_promote(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.judge({**report("promote"), "test": "t0"})
    assert main(["ab", "promote", NAME]) == 1
    assert "the function that judges knows no such test" in capsys.readouterr().err


def test_a_challenger_without_a_release_record_is_not_promoted(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.judge(report("promote"))
    world.s3.delete_object(Bucket=ARTIFACTS, Key=f"releases/{NAME}/2.json")
    assert main(["ab", "promote", NAME]) == 1
    told = f"its execution {CHALLENGER_EXECUTION} did not finish; release it again"
    assert told in capsys.readouterr().err
    assert world.running() == []


# abort


def test_an_abort_gives_the_champion_everything_and_starts_the_clean_up(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ab", "abort", NAME, "--reason", "it answers nonsense"]) == 0
    told, (execution,) = capsys.readouterr().out, world.running()
    assert told.startswith(f"The champion of {NAME} gets all requests; the A/B test is aborted.\nExecution {execution}")
    assert world.shares() == {"primary": 1.0, "secondary": 0.0}
    assert world.variables(execution) == {"Release": "1", "ABTest": "abort"}
    record = world.read()
    assert record.test is not None
    assert (record.test.state, record.test.why, record.share, record.intent) == (
        "aborted",
        "it answers nonsense",
        0.0,
        None,
    )
    assert record.history[0]["why"] == "it answers nonsense"
    assert record.challenger is not None
    # A second one has only the clean-up left; the first execution waits, so it is queued.
    assert main(["ab", "abort", NAME, "--keep"]) == 0
    assert capsys.readouterr().out.startswith(f"The champion of {NAME} gets all requests.\n")
    assert world.read() == record


def test_a_champion_whose_rollback_has_no_record_is_cleaned_up_with_the_release_of_its_model(world: World) -> None:
    record = world.read()
    assert record.champion is not None
    world.write(replace(record, champion=replace(record.champion, execution_id="a-rollback-that-was-killed")))
    assert main(["ab", "abort", NAME]) == 0
    (execution,) = world.running()
    assert world.variables(execution) == {"Release": "1", "ABTest": "abort"}


def test_an_abort_that_keeps_the_challenger_starts_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ab", "abort", NAME, "--keep", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "pipeline": NAME,
        "test": "t1",
        "weights_changed": True,
        "reason": "aborted with mlops ab abort",
        "failing_execution_id": None,
        "execution_id": None,
    }
    assert (world.running(), world.shares()["secondary"]) == ([], 0.0)


def test_without_a_release_record_of_the_champion_the_next_release_cleans_up(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.s3.delete_object(Bucket=ARTIFACTS, Key=f"releases/{NAME}/1.json")
    assert main(["ab", "abort", NAME]) == 0
    assert "the next release removes the challenger" in capsys.readouterr().out
    assert (world.running(), world.shares()["secondary"]) == ([], 0.0)


def test_a_clean_up_that_cannot_start_is_told_with_what_is_safe(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = json.loads(world.s3.get_object(Bucket=ARTIFACTS, Key=f"releases/{NAME}/1.json")["Body"].read())
    entry["model_data_url"] = f"s3://{ARTIFACTS}/gone.tar.gz"
    world.s3.put_object(Bucket=ARTIFACTS, Key=f"releases/{NAME}/1.json", Body=json.dumps(entry).encode())
    assert main(["ab", "abort", NAME]) == 1
    told = capsys.readouterr().err
    safe = f"mlops ab abort: the champion of {NAME} gets all requests, but the challenger's instances still run: "
    assert safe in told
    assert "gone.tar.gz does not exist any more; the next release removes them" in told
    assert world.shares()["secondary"] == 0.0


def test_without_a_test_and_a_challenger_there_is_nothing_to_abort(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write(world.record(challenger=None, test=None, share=0.0))
    fleet = world.aws.sagemaker.endpoints.serving(ENDPOINT)
    monkeypatch.setattr(fleet, "variants", [one for one in fleet.variants if one.name == "primary"])
    assert main(["ab", "abort", NAME]) == 1
    told = f"mlops ab abort: no A/B test of {NAME} runs, and no challenger is deployed\n"
    assert capsys.readouterr().err == told


def test_an_occupied_slot_without_a_test_gets_no_requests_and_is_cleaned_up(world: World) -> None:
    # As an execution has left it that failed in the middle of a release.
    intent = Intent(kind="release", by=f"execution {world.ended()}", since=time.time())
    world.write(world.record(challenger=None, test=None, share=0.0, intent=intent))
    assert main(["ab", "abort", NAME]) == 0
    assert world.shares() == {"primary": 1.0, "secondary": 0.0}
    assert (world.read().intent, len(world.running())) == (None, 1)


def test_an_abort_waits_while_the_endpoint_updates_and_a_command_is_at_it(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.write(replace(world.read(), intent=command_intent(expired=False)))
    endpoint = world.aws.sagemaker.endpoints.find(ENDPOINT)

    def served() -> None:
        # Whoever calls with TargetVariant is told at once.
        assert world.read().running is None
        endpoint.status = "InService"

    steps = iter([lambda: world.write(replace(world.read(), intent=None)), served])
    endpoint.status = "Updating"
    monkeypatch.setattr("mlops_constructs.deployed.ab_test._sleep", lambda _: next(steps, lambda: None)())
    assert main(["ab", "abort", NAME, "--keep"]) == 0
    told = capsys.readouterr().err
    assert "command c0ffee has been changing iris since " in told
    assert f"the test has ended; {ENDPOINT} gets its weights: Updating" in told
    assert world.shares()["secondary"] == 0.0


def test_an_abort_ends_a_promotion_that_bakes_and_says_that_its_execution_fails(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    execution = world.bench.start(NAME)
    world.weigh(0.0, 1.0)
    promoting = Intent(kind="promote", by=f"execution {execution}", since=time.time(), bake_until=time.time() + 600)
    world.write(replace(world.read(), intent=promoting))
    assert main(["ab", "abort", NAME, "--keep"]) == 0
    assert capsys.readouterr().out.startswith(
        f"The champion of {NAME} gets all requests; the A/B test is aborted.\n"
        f"Execution {execution} will fail: its challenger's test was aborted.\n"
    )
    record = world.read()
    assert record.test is not None
    # Without its intent, the execution cannot write that the challenger is the champion.
    assert (record.test.state, record.share, record.intent) == ("aborted", 0.0, None)
    assert world.shares() == {"primary": 1.0, "secondary": 0.0}


def test_an_abort_keeps_the_intent_of_an_execution_that_carries_a_model(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    execution, before = world.bench.start(NAME), world.read()
    assert before.test is not None
    releasing = Intent(kind="release", by=f"execution {execution}", since=time.time(), model=before.challenger)
    world.write(replace(before, intent=releasing, test=replace(before.test, state="starting")))
    assert main(["ab", "abort", NAME, "--keep", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["failing_execution_id"] == execution
    record = world.read()
    assert record.test is not None
    assert (record.test.state, record.intent) == ("aborted", releasing)
    assert world.shares() == {"primary": 1.0, "secondary": 0.0}


@pytest.mark.parametrize("kind", ["promote", "abort"])
def test_an_abort_does_not_disturb_an_execution_without_a_test_and_says_how_to_end_it(
    world: World, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    execution = world.bench.start(NAME)
    world.weigh(1.0, 0.0)
    removing = Intent(kind=kind, by=f"execution {execution}", since=time.time())
    world.write(replace(world.read().aborted(time.time(), "it answers nonsense"), intent=removing))
    before = world.read()
    assert main(["ab", "abort", NAME]) == 1
    told = capsys.readouterr().err
    assert f"or end it with `mlops stop {NAME} --execution {execution} --abandon` and abort then" in told
    assert world.read() == before


def test_an_abort_ends_the_test_before_it_asks_for_weights(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    set_weights, states = ab_endpoint.Endpoint.set_weights, []

    def noted(self: ab_endpoint.Endpoint, weights: dict[str, float]) -> None:
        states.append(world.read().running)
        set_weights(self, weights)

    monkeypatch.setattr(ab_endpoint.Endpoint, "set_weights", noted)
    assert main(["ab", "abort", NAME, "--keep"]) == 0
    assert states == [None]


def test_an_abort_whose_weights_were_refused_is_finished_by_the_next_one(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        without(world, patch, "sagemaker:UpdateEndpointWeightsAndCapacities")
        assert main(["ab", "abort", NAME, "--keep"]) == 1
    assert "UpdateEndpointWeightsAndCapacities was refused with AccessDenied" in capsys.readouterr().err
    record = world.read()
    assert record.running is None
    assert record.intent is not None
    assert record.intent.expired(time.time())
    assert main(["ab", "abort", NAME, "--keep"]) == 0
    assert (world.read().intent, world.shares()["secondary"]) == (None, 0.0)


# status


def test_the_status_shows_everything_in_plain_lines(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    history = [{"id": f"old-{number}", "state": "replaced", "ended": 1.0, "why": f"w{number}"} for number in range(6)]
    world.write(replace(world.read(), history=tuple(history)))
    assert main(["ab", "status", NAME]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{NAME}: an A/B test has been running since 2023-11-14 22:15:00 UTC, at most 28 days"
    text = "\n".join(lines)
    for line in (
        f"  endpoint     {ENDPOINT} InService",
        f"  champion     primary: release 1, {world.packages['primary']}, since 2023-11-14 22:13:20 UTC (approved in"
        f" execution {CHAMPION_EXECUTION})",
        f"  challenger   secondary: release 2, {world.packages['secondary']}, since 2023-11-14 22:13:20 UTC (approved"
        f" in execution {CHALLENGER_EXECUTION})",
        "  weight       primary: 90 % asked, 90 % observed",
        "  segment      10 % from 2023-11-14 22:15:00 UTC to now",
        "  metric       accuracy: champion 0.91 of 9,000, challenger 0.93 of 1,000, difference +0.02 (-0.01 to ?)",
        "  guardrail    in_time: champion 0.99 of 9,000, challenger 0.98 of 1,000, tolerance 0.01: not yet shown to be"
        " no worse",
        "  outcomes     3 late",
        "  verdict      inconclusive, so: continue",
        "  The outcomes fit both.",
        "  forecast     About 4 more days at this traffic.",
        "  ended test   replaced at 1970-01-01 00:00:01 UTC: w0",
    ):
        assert line in lines, text
    assert text.count("ended test") == 5
    assert "disagreement" not in text


def test_the_status_has_requests_errors_and_latency_of_both_variants(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime = world.aws.client("sagemaker-runtime")
    for slot, body in (("primary", b"1,2"), ("primary", b"bad"), ("secondary", b"1,2")):
        try:
            runtime.invoke_endpoint(EndpointName=ENDPOINT, Body=body, ContentType="text/csv", TargetVariant=slot)
        except runtime.exceptions.ClientError:
            assert body == b"bad"
    assert main(["ab", "status", NAME, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["unknown"] == []
    assert told["traffic"]["primary"]["requests"] >= 2
    assert told["traffic"]["primary"]["errors_4xx"] >= 1
    assert told["traffic"]["secondary"]["errors_5xx"] == 0
    assert set(told["traffic"]["primary"]["latency_ms"]) <= {"p50", "p90", "p99"}
    assert told["champion"]["release"] == 1
    assert told["weights"]["observed"]["secondary"] == pytest.approx(0.1)
    assert told["report"]["action"] == "continue"


def test_a_report_that_cannot_be_made_now_is_the_stored_one_with_its_age(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = {**report("abort"), "at": time.time() - 7300}
    key = f"ab/{NAME}/tests/t1/report.json"
    world.s3.put_object(Bucket=ARTIFACTS, Key=key, Body=json.dumps(stored).encode())
    world.judge(None)
    assert main(["ab", "status", NAME]) == 0
    told = capsys.readouterr().out
    assert "  report       2 hours old: the function iris-judge-ab-test failed: it broke" in told
    assert "so: abort" in told
    world.judge(report())
    without(world, monkeypatch, "lambda:InvokeFunction")
    assert main(["ab", "status", NAME]) == 0
    told = capsys.readouterr().out
    assert "the function iris-judge-ab-test could not be invoked: Invoke was refused with AccessDenied" in told


def test_after_a_test_its_report_is_what_was_said_then(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    said = {**report("promote"), "verdict": "better", "sentence": "It is better. It may be promoted."}
    key = f"ab/{NAME}/tests/t1/report.json"
    world.s3.put_object(Bucket=ARTIFACTS, Key=key, Body=json.dumps(said).encode())
    world.judge(said)
    assert main(["ab", "status", NAME, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["report_is_of_the_end"] is False
    before = world.read()
    assert before.test is not None
    promoted = replace(before.test, state="promoted", ended=time.time(), why="promoted in execution e1")
    world.write(replace(before, champion=before.challenger, challenger=None, test=promoted, share=0.0))
    assert main(["ab", "status", NAME, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["report_is_of_the_end"] is True
    assert main(["ab", "status", NAME]) == 0
    told = capsys.readouterr().out
    assert "  verdict      better, when the test ended\n" in told
    assert "  The last look said then: It is better. It may be promoted.\n" in told
    assert "so: promote" not in told
    assert "forecast" not in told


def test_hand_edits_are_named(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.weigh(0.5, 0.5)
    assert main(["ab", "status", NAME]) == 0
    told = capsys.readouterr().out
    shares = "the shares of the traffic are primary 0.5, secondary 0.5, and should be primary 0.9, secondary 0.1"
    assert shares in told
    fleet = world.aws.sagemaker.endpoints.serving(ENDPOINT)
    only = [one for one in fleet.variants if one.name == "primary"]
    with monkeypatch.context() as patch:
        patch.setattr(fleet, "variants", only)
        assert main(["ab", "status", NAME]) == 0
        missing = f"the variant secondary of the challenger is missing in the endpoint {ENDPOINT}"
        assert missing in capsys.readouterr().out
    world.write(world.record(challenger=None, test=None, share=0.0))
    assert main(["ab", "status", NAME]) == 0
    told = capsys.readouterr().out
    assert f"the endpoint {ENDPOINT} has a variant secondary, which no release put there" in told
    monkeypatch.setattr(world.aws.sagemaker.endpoints.find(ENDPOINT), "config_name", world.models.simple())
    assert main(["ab", "status", NAME]) == 0
    assert "the endpoint was updated outside of its stack, or its update failed" in capsys.readouterr().out


def test_a_change_that_was_broken_off_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.write(replace(world.read(), intent=Intent(kind="release", by=f"execution {world.ended()}", since=1.0)))
    assert main(["ab", "status", NAME]) == 0
    told = capsys.readouterr().out
    assert (
        f"execution {world.ended()} ended in the middle of a release of {NAME}; the champion gets all requests" in told
    )
    world.write(replace(world.read(), intent=command_intent(expired=True)))
    assert main(["ab", "status", NAME]) == 0
    assert "command c0ffee was broken off in the middle of a shift of iris" in capsys.readouterr().out


def test_in_a_terminal_the_same_lines_have_colours(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.judge({**report("promote"), "verdict": "better", "sentence": "It is better [by 0.02]."})
    assert main(["ab", "status", NAME]) == 0
    plain = capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert main(["ab", "status", NAME]) == 0
    coloured = capsys.readouterr().out
    assert "\x1b[32mbetter, so: promote\x1b[0m" in coloured
    # Traffic may have been counted in between.
    without_colours = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert [line for line in without_colours.splitlines() if "traffic" not in line] == [
        line for line in plain.splitlines() if "traffic" not in line
    ]


# releases


def test_releases_have_a_role_where_one_is_recorded(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["releases", NAME]) == 0
    rows = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert rows == [["release", "role"], ["2", "challenger"], ["1", "champion"]]
