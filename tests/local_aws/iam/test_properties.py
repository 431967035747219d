"""What holds of every policy and every request."""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from local_aws.iam.cases import random_cases
from local_aws.iam.judging import judge, request_of

from mlops_constructs.local_aws.iam.decision import Verdict
from mlops_constructs.local_aws.iam.evaluate import Policies, evaluate

if TYPE_CHECKING:
    from local_aws.iam.cases import Case

_CASES = st.integers(0, 2**32).map(lambda seed: next(random_cases(1, seed)))
_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
_SETTINGS = settings(max_examples=100, deadline=None)


def _documents(case: Case) -> list[dict]:
    single = [case[kind] for kind in ("boundary", "session", "resource_policy")]
    return [document for document in [*case["identity"], *single] if document]


@_SETTINGS
@given(_CASES)
def test_a_deny_of_everything_in_any_policy_denies(case):
    for number in range(len(_documents(case))):
        changed = copy.deepcopy(case)
        document = _documents(changed)[number]
        statement = {"Effect": "Deny", "Action": "*"}
        if case["resource_policy"] and document == _documents(changed)[-1]:
            statement["Principal"] = "*"
        if "sts:AssumeRole" not in str(document) or "Resource" in str(document):
            statement["Resource"] = "*"
        document["Statement"].append(statement)

        assert judge(changed).verdict is Verdict.EXPLICIT_DENY


@_SETTINGS
@given(_CASES, st.integers(0, 2**32))
def test_the_order_of_statements_and_policies_has_no_meaning(case, seed):
    rng, changed = random.Random(seed), copy.deepcopy(case)
    for document in _documents(changed):
        rng.shuffle(document["Statement"])
    rng.shuffle(changed["identity"])

    assert judge(changed).verdict is judge(case).verdict


@_SETTINGS
@given(_CASES)
def test_an_allow_more_never_takes_a_permission(case):
    before = judge(case)
    changed = copy.deepcopy(case)
    for document in [*changed["identity"], *filter(None, (changed["boundary"], changed["session"]))]:
        document["Statement"].append(_EVERYTHING)
    after = judge(changed)

    assert after.allowed or not before.allowed
    assert (after.verdict is Verdict.EXPLICIT_DENY) == (before.verdict is Verdict.EXPLICIT_DENY)


@_SETTINGS
@given(_CASES)
def test_a_statement_less_never_gives_a_permission_but_when_it_denies(case):
    for number, document in enumerate(_documents(case)):
        for index, statement in enumerate(document["Statement"]):
            changed = copy.deepcopy(case)
            del _documents(changed)[number]["Statement"][index]
            before, after = judge(case), judge(changed)

            assert before.allowed or not after.allowed or statement["Effect"] == "Deny"


@_SETTINGS
@given(_CASES)
def test_a_boundary_and_a_session_policy_give_nothing(case):
    limited = {**case, "boundary": {"Version": "2012-10-17", "Statement": [_EVERYTHING]}}
    unlimited = {**case, "boundary": None, "session": None}

    assert judge(unlimited).allowed or not judge(case).allowed
    assert judge(unlimited).allowed or not judge(limited).allowed


@_SETTINGS
@given(_CASES)
def test_the_case_of_actions_and_of_keys_has_no_meaning(case):
    changed = {
        **case,
        "action": case["action"].upper(),
        "context": {key.swapcase(): value for key, value in case["context"].items()},
    }

    assert judge(changed).verdict is judge(case).verdict


@_SETTINGS
@given(_CASES)
def test_a_decision_tells_what_decided_or_what_is_missing(case):
    decision = judge(case)

    assert bool(decision.missing) == (decision.verdict is Verdict.IMPLICIT_DENY)
    assert decision.by or decision.missing
    if not decision.allowed:
        assert case["principal"] in decision.message()
        assert f"perform: {case['action']} on resource: " in decision.message()
        assert decision.remedy()


@_SETTINGS
@given(_CASES)
def test_without_policies_nothing_is_allowed(case):
    assert not evaluate(request_of(case), Policies()).allowed
