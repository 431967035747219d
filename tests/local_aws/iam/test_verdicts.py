"""Our engine and an independent one, @cloud-copilot/iam-simulate, on the same cases."""

from __future__ import annotations

from local_aws.iam.judging import judge
from local_aws.iam.regenerate import current_cases, read_verdicts

_WORDS = {"Allowed": "allowed", "ExplicitlyDenied": "explicit deny", "ImplicitlyDenied": "implicit deny"}
_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide"
_SESSION_IS_NOT_LIMITED = (
    "allowed",
    f"{_GUIDE}/reference_policies_evaluation-logic_policy-eval-basics.html: what a resource's policy grants to the ARN "
    "of a session 'is not limited by an implicit deny in an identity-based policy, a permissions boundary, or session "
    "policy'",
)
_NOT_PRINCIPAL = (
    "explicit deny",
    f"{_GUIDE}/reference_policies_elements_notprincipal.html: the session, its role and its account must be listed",
)

# Where the engines differ: our verdict, and the page by which it stands.
_JUDGED = {
    "old-version-variable": (
        "implicit deny",
        f"{_GUIDE}/reference_policies_elements_version.html: in version 2008-10-17 a variable is plain text",
    ),
    "condition-date-epoch": (
        "allowed",
        f"{_GUIDE}/reference_policies_elements_condition_operators.html: dates may be 'in epoch (UNIX) time'",
    ),
    "deny-condition-date-epoch": ("explicit deny", "as above"),
    "deny-condition-variable-missing-negated": (
        "explicit deny",
        f"{_GUIDE}/reference_policies_variables.html tells only that a variable without a value 'might cause the "
        "entire statement to be invalid': the stricter reading, a Deny that spares nobody",
    ),
    **{
        f"{kind}-session-{limit}": _SESSION_IS_NOT_LIMITED
        for kind in ("object", "key", "role")
        for limit in ("under-session", "identity-under-session")
    },
    "not-principal-role": _NOT_PRINCIPAL,
    "not-principal-role-and-root": _NOT_PRINCIPAL,
}


def test_the_verdicts_of_an_independent_engine_are_ours_but_where_aws_documents_otherwise():
    differences = {
        case["name"]: verdict
        for case in read_verdicts()
        if (verdict := judge(case).verdict.value) != _WORDS[case["verdict"]]
    }

    assert differences == {name: verdict for name, (verdict, _) in _JUDGED.items()}


def test_the_frozen_cases_are_those_that_the_generator_makes():
    frozen = read_verdicts()

    assert [{key: case[key] for key in case if key != "verdict"} for case in frozen] == current_cases()


def test_the_cases_ask_for_every_verdict_often():
    verdicts = [case["verdict"] for case in read_verdicts()]

    assert len(verdicts) >= 1000
    assert all(verdicts.count(word) >= 200 for word in _WORDS)
