"""What a run knows: what people have done, and what must therefore be true."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlops_constructs.deployed.executions import Executions
from release_soak.facts import Facts

if TYPE_CHECKING:
    from release_soak.site import Site

_ACTION = "CodePipeline Action Execution State Change"


class World:
    """It.

    Attributes:
        site: The deployed pipeline.
        versions: The versions that this run has uploaded.
        approved: Executions that a person has approved.
        rollbacks: Executions that deploy a release again.
        asked: Execution to the state of production's stack when its approver was asked.
        touched: Model packages that somebody has changed by hand.
        models: Model package to what it answers.
        served: Model packages that production has run.
        models_deleted: Model packages whose archive somebody has deleted.
        endpoint_touched: Whether somebody has changed production's endpoint by hand.
        undos: What takes back what was done by hand, by its name.
    """

    def __init__(self, site: Site) -> None:
        """Begin with a pipeline at rest."""
        self.site = site
        self.versions: list[str] = []
        self.approved: set[str] = set()
        self.rollbacks: set[str] = set()
        self.asked: dict[str, str] = {}
        self.touched: set[str] = set()
        self.models: dict[str, str] = {}
        self.served: set[str] = set()
        self.models_deleted: set[str] = set()
        self.endpoint_touched = False
        self.undos: dict[str, Any] = {}
        self._lost_ever = len(site.lost)
        self.forgive()
        self.known = Executions(site.client, site.name).ids()
        self._tokens: dict[str, set[str]] = {}
        self.facts = Facts.read(site, self.known)

    @property
    def record_damaged(self) -> bool:
        """Whether somebody has damaged a record."""
        return self.site.record_damaged

    @property
    def gave_up(self) -> bool:
        """Whether an invocation was given up, which the dead-letter queue tells: what it was to do is not done."""
        return len(self.site.lost) > self._lost_ever

    def forgive(self) -> None:
        """Ask for nothing in the dead-letter queue of what was given up so far: its key could not be used."""
        self.lost_before, self.kept_before = len(self.site.lost), self.site.dead_letters()

    def look(self) -> Facts:
        """Read the facts, and what the models are that they name."""
        facts = Facts.read(self.site, self.known)
        self.served.add(facts.package)
        for one in facts.ran:
            if one.package and one.version in self.site.uploads and one.id not in self.rollbacks:
                self.models[one.package] = self.site.uploads[one.version][0]
        return facts

    def note(self, event: dict[str, Any]) -> None:
        """Note when an approver is asked, and which state production is in then."""
        if event["detail-type"] != _ACTION:
            return
        detail = event["detail"]
        if (detail["pipeline"], detail["action"], detail["state"]) == (self.site.name, "Approve", "STARTED"):
            self.asked[detail["execution-id"]] = self.site.state_of_production()

    def token_known(self, execution: str, mail: str) -> bool:
        """Whether a mail asks for the approval of an execution."""
        asked = json.loads(mail).get("approval", {})
        tokens = self._tokens.setdefault(execution, set())
        if not tokens:
            line = self.site.aws.codepipeline.executor.executions(self.site.name)
            for one in line:
                if one.id == execution:
                    tokens |= {run.approval.token for run in one.history if run.approval is not None}
        return asked.get("token") in tokens
