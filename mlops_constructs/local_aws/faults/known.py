"""What faults name: a fault of a function or an action that no pipeline has would never happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_constructs.local_aws.faults.errors import FaultError
from mlops_constructs.local_aws.faults.fault import fits
from mlops_constructs.local_aws.faults.on_things import NOW

if TYPE_CHECKING:
    from mlops_constructs.local_aws.faults.fault import Fault
    from mlops_constructs.local_aws.local_aws import LocalAws


@dataclass(frozen=True)
class Known:
    """The names that are known before anything runs.

    Attributes:
        functions: Names of all functions; empty if they are not known.
        actions: Names of the actions of all pipelines; empty if they are not known.
    """

    functions: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()

    @classmethod
    def of(cls, aws: LocalAws) -> Known:
        """Return what an account has."""
        functions = aws.client("lambda").get_paginator("list_functions").paginate()
        pipelines = aws.account.moto("codepipeline").get_paginator("list_pipelines").paginate()
        found = [
            aws.client("codepipeline").get_pipeline(name=one["name"])["pipeline"]
            for page in pipelines
            for one in page["pipelines"]
        ]
        return cls(
            tuple(one["FunctionName"] for page in functions for one in page["Functions"]),
            tuple(action["name"] for one in found for stage in one["stages"] for action in stage["actions"]),
        )

    def check(self, fault: Fault) -> None:
        """Check the names of a fault.

        Raises:
            FaultError: when nothing has such a name.
        """
        for member, kind, there in (("function", "function", self.functions), ("at", "action", self.actions)):
            wanted = fault.values.get(member)
            if wanted and wanted != NOW and there and not any(fits(wanted, one) for one in there):
                names = ", ".join(sorted(set(there)))
                raise FaultError(f"{fault.text}: no {kind} is named {wanted!r}; there are: {names}")
