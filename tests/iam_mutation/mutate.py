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
from iam_mutation.exceptions import SURVIVORS
from iam_mutation.mutants import mutants_of
from iam_mutation.negative import corpus
from iam_mutation.requests import read
from iam_mutation.tabled import optional, tabled
from mlops_constructs.local_aws.iam.evaluate import Policies, evaluate
from mlops_constructs.local_aws.iam.statements import match

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iam_mutation.mutants import Mutant
    from iam_mutation.programs import Program
    from iam_mutation.requests import Recorded, Rows
    from mlops_constructs.local_aws.iam.documents import Policy
    from mlops_constructs.local_aws.iam.request import Request

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
        granted: Principals and actions of the recorded and tabled requests that the policies as they are allow.
    """

    tried: int = 0
    survivors: list[str] = field(default_factory=list)
    denied: list[Recorded] = field(default_factory=list)
    allowed: list[Recorded] = field(default_factory=list)
    calls: int = 0
    granted: set[tuple[str, str]] = field(default_factory=set)


class Judge:
    """Knows which of a program's requests are allowed, and which changes of a policy another result comes from."""

    def __init__(self, program: Program, wanted: Iterable[Recorded], refused: Iterable[Recorded]) -> None:
        self._program = program
        self._requests: dict[str, list[tuple[Request, bool]]] = defaultdict(list)
        self.denied: list[Recorded] = []
        self.allowed: list[Recorded] = []
        for requests, expected in ((sorted(wanted), True), (sorted(set(refused)), False)):
            for one in requests:
                request = one.request()
                policies = program.policies(request)
                if evaluate(request, policies).allowed is not expected:
                    (self.denied if expected else self.allowed).append(one)
                    continue
                for policy in filter(None, (*policies.identity, policies.resource)):
                    self._requests[policy.name].append((request, expected))

    def notices(self, mutant: Mutant, owner: str) -> bool:
        """Whether a request comes out otherwise under a changed policy.

        A request that the changed statement is not about is not judged again: for one that is allowed, the statement as
        it was; for one that is denied, as it is; a statement that denies, the other way round.
        """
        for request, expected in self._requests[owner]:
            statement = mutant.statement if expected is mutant.statement.allows else mutant.changed
            if statement is None or not match(statement, request, request.keys()).applies:
                continue
            if evaluate(request, self._changed(request, mutant.policy)).allowed is not expected:
                return True
        return False

    def _changed(self, request: Request, changed: Policy) -> Policies:
        policies = self._program.policies(request)
        identity = tuple(changed if policy.name == changed.name else policy for policy in policies.identity)
        resource = policies.resource
        if resource is not None and resource.name == changed.name:
            resource = changed
        return Policies(identity=identity, resource=resource)


def shown(program: Program, rows: Rows) -> tuple[set[Recorded], set[Recorded]]:
    """Give what rehearsals have shown of a program's pipelines, and what they have shown of others.

    The functions of all pipelines are the same: what one of them did in another program, it may have to do in this one.
    """
    own, others = set(), set()
    for pipeline in program.pipelines:
        for row, pipelines in rows.items():
            one = row.renamed(pipeline.specific)
            if one.is_complete and program.concerns(one):
                (own if pipeline.label in pipelines else others).add(one)
    return own, others - own


def mutate(program: Program, rows: Rows) -> Outcome:
    """Try every mutant of every policy of a program."""
    own, others = shown(program, rows)
    possible = {one for one in (*others, *optional(program)) if program.decide(one.request()).allowed}
    refused = set(corpus(program))
    wanted = own | possible | {*tabled(program)}
    judge = Judge(program, wanted, refused)
    outcome = Outcome(denied=judge.denied, allowed=judge.allowed, calls=len(refused))
    outcome.granted = {(program.generic(one.principal), one.action) for one in wanted - {*judge.denied}}
    for policy in program.all_policies():
        for mutant in mutants_of(policy):
            outcome.tried += 1
            if not judge.notices(mutant, policy.name):
                outcome.survivors.append(program.generic(mutant.name))
    return outcome


def main() -> int:
    """Print the table; 1 when something survives that is no exception."""
    failed = False
    print(f"{'program':12} {'mutants':>8} {'survive':>8} {'excepted':>9} {'negative':>9}")
    rows = read(RECORDED)
    for name, program in synthesized(sys.argv[1:] or EXAMPLES).items():
        outcome = mutate(program, rows)
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
