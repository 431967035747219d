"""Change every policy in one thing at a time, and see that something notices: ``make mutate-iam``.

Notices: a recorded request, or one of AWS's tables, that is allowed by the policies as they are and denied after the
change; a call of the negative corpus that is denied by them and allowed after it.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from iam_mutation.examples import EXAMPLES, synthesized
from iam_mutation.exceptions import ALLOWED, SURVIVORS
from iam_mutation.mutants import mutants_of
from iam_mutation.negative import corpus
from iam_mutation.requests import read
from iam_mutation.tabled import tabled
from mlops_constructs.local_aws.iam._texts import any_like
from mlops_constructs.local_aws.iam.evaluate import Policies, evaluate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from iam_mutation.mutants import Mutant
    from iam_mutation.programs import Program
    from iam_mutation.requests import Recorded
    from mlops_constructs.local_aws.iam.documents import Policy

RECORDED = Path(__file__).with_name("recorded.jsonl")


@dataclass
class Outcome:
    """What came of the mutants of one program.

    Attributes:
        tried: How many there were.
        survivors: Names of those that nothing noticed.
        denied: Recorded or tabled requests that the policies as they are deny.
        allowed: Calls of the negative corpus that the policies as they are allow.
        calls: How many calls the negative corpus has.
    """

    tried: int = 0
    survivors: list[str] = field(default_factory=list)
    denied: list[Recorded] = field(default_factory=list)
    allowed: list[Recorded] = field(default_factory=list)
    calls: int = 0


class Judge:
    """Knows which of a program's requests are allowed, and which policies each depends on."""

    def __init__(self, program: Program, wanted: Iterable[Recorded], refused: Iterable[Recorded]) -> None:
        self._program = program
        self._requests: dict[str, list[tuple[Recorded, bool]]] = defaultdict(list)
        self.denied: list[Recorded] = []
        self.allowed: list[Recorded] = []
        for requests, expected in ((sorted(wanted), True), (sorted(set(refused)), False)):
            for one in requests:
                if self._allowed(one) is not expected:
                    (self.denied if expected else self.allowed).append(one)
                    continue
                for policy in _asked(program, one):
                    self._requests[policy].append((one, expected))

    def notices(self, mutant: Mutant, owner: str) -> bool:
        """Whether a request comes out otherwise under a changed policy."""
        actions = mutant.statement.actions.values
        return any(
            self._allowed(one, owner, mutant.policy) is not expected
            for one, expected in self._requests[owner]
            if any_like(actions, one.action)
        )

    def _allowed(self, one: Recorded, owner: str = "", changed: Policy | None = None) -> bool:
        request = one.request()
        policies = self._program.policies(request)
        if changed is None:
            return evaluate(request, policies).allowed
        identity = tuple(changed if policy.name == changed.name else policy for policy in policies.identity)
        resource = policies.resource
        if resource is not None and resource.name == changed.name:
            resource = changed
        return evaluate(request, Policies(identity=identity, resource=resource)).allowed


def _asked(program: Program, one: Recorded) -> Iterator[str]:
    policies = program.policies(one.request())
    yield from (policy.name for policy in policies.identity)
    if policies.resource is not None:
        yield policies.resource.name


def _is_of(one: Recorded, program: Program) -> bool:
    """Whether a request is of a role that the stack makes, or of a service on one of its resources."""
    if one.principal.startswith("arn:"):
        return one.principal in program.roles
    owner = one.resource.partition("/")[0] if ":s3:::" in one.resource else one.resource
    return one.resource in program.trusts or owner in program.resources


def mutate(program: Program, recorded: Iterable[Recorded]) -> Outcome:
    """Try every mutant of every policy of a program."""
    own = [one for one in recorded if _is_of(one, program)]
    refused = set(corpus(program))
    judge = Judge(program, {*own, *tabled(program)}, refused)
    allowed = [one for one in judge.allowed if not ALLOWED.reason(one.line())]
    outcome = Outcome(denied=judge.denied, allowed=allowed, calls=len(refused))
    for policy in program.all_policies():
        for mutant in mutants_of(policy):
            outcome.tried += 1
            if not judge.notices(mutant, policy.name):
                outcome.survivors.append(mutant.name)
    return outcome


def main() -> int:
    """Print the table; 1 when something survives that is no exception."""
    failed = False
    print(f"{'program':12} {'mutants':>8} {'survive':>8} {'excepted':>9} {'negative':>9}")
    for name in sys.argv[1:] or EXAMPLES:
        outcome = mutate(synthesized(name), read(RECORDED))
        left = [survivor for survivor in outcome.survivors if not SURVIVORS.reason(survivor)]
        excepted = len(outcome.survivors) - len(left)
        print(f"{name:12} {outcome.tried:8} {len(left):8} {excepted:9} {outcome.calls:9}")
        for survivor in left:
            print(f"  survives: {survivor}")
        for one in outcome.denied:
            print(f"  denied: {one.line()}")
        for one in outcome.allowed:
            print(f"  allowed: {one.line()}")
        failed = failed or bool(left or outcome.denied or outcome.allowed)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
