"""The evidence for one candidate, as text for people and as JSON for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from handler_kit.registry import number, short
from handler_kit.settings import NONE

# CodePipeline accepts 1,000 characters in a value of an action's configuration; 40 are left as a reserve.
MAX_MESSAGE_CHARACTERS = 960
# The standard error of the metric with the rest of the name.
_ERROR = "_se"


@dataclass(frozen=True)
class Evidence:
    """What is known about a candidate before a person decides. Texts are for people; ``metrics`` are as recorded."""

    execution_id: str
    link: str
    release: str
    candidate: str
    production: str
    paused: str
    metrics: dict[str, str]
    production_metrics: dict[str, str]
    gate: str
    smoke_test: str
    dataset: str
    dataset_version: str
    dataset_sha256: str
    image: str
    scan: str
    commit: str
    why: str
    asked: str
    ab_test: str
    fleet: str
    hourly_cost: str
    monthly_cost: str
    dev_time: str
    price_source: str
    reason: str

    def document(self) -> dict[str, object]:
        """The full evidence, for programs."""
        return asdict(self)

    def message(self, uri: str) -> str:
        """The short form, for the approval's email and console page; every line has a maximum length."""
        again = "" if self.release == NONE else f"Rollback to release {self.release}. "
        reason = [] if self.reason == NONE else [_cut(f"Give a reason if you approve: {self.reason}", 190)]
        why = [] if self.why == NONE else [_cut(f"Started because {self.why}", 160)]
        changes = [] if self.asked == NONE else [_cut(f"The data set requests: {self.asked}", 110)]
        changes += [] if self.ab_test == NONE else [_cut(f"A/B test: {self.ab_test}", 190)]
        lines = [
            *reason,
            *why,
            *changes,
            _cut(f"{again}Candidate: {self.candidate}", 130),
            _cut(f"Metrics (production now): {'; '.join(self._metric_lines())}", 70 if changes else 180),
            _cut(f"{'Gate' if self.gate.startswith(NONE) else 'Gate passed'}: {self.gate}", 110),
            _cut(f"DEV smoke test: {self.smoke_test}", 100),
            _cut(f"Data: {self.dataset}, version {self.dataset_version}", 90 if changes else 110),
            _cut(f"Image: {_image_name(self.image)}, commit {self.commit[:12]}", 130),
            _cut(f"Production: {self.fleet}, hourly cost {self.hourly_cost}", 75),
            _cut(f"Monthly cost with DEV: {self.monthly_cost}", 55),
        ]
        # The link to the full evidence is never cut: it leads to what the other lines leave out.
        link = f"\nEvidence: {uri}"
        return _cut("\n".join(lines), MAX_MESSAGE_CHARACTERS - len(link)) + link

    def text(self) -> str:
        """The full evidence, for people."""
        again = [] if self.release == NONE else [f"This deploys release {self.release} again.", ""]
        facts = {
            **({} if self.why == NONE else {"Started because": self.why}),
            "Data set requests": self.asked,
            **({} if self.ab_test == NONE else {"A/B test": self.ab_test}),
            "Candidate": self.candidate,
            "Production now": self._production(),
            "Gate": self.gate,
            "DEV smoke test": self.smoke_test,
            "Data set": self.dataset,
            "Data version": self.dataset_version,
            "Data SHA-256": self.dataset_sha256,
            "Image": self.image,
            "Image scan": self.scan,
            "Commit": self.commit,
            "Production runs on": self.fleet,
            "Hourly cost": self.hourly_cost,
            "Monthly with DEV": self.monthly_cost,
            "DEV in it": self.dev_time,
            "Price from": self.price_source,
            **({} if self.reason == NONE else {"Needs a reason": self.reason}),
            "Execution": self.link,
        }
        lines = [f"{name + ':':<20}{value}" for name, value in facts.items()]
        return "\n".join([*again, *lines, "", "Metrics (production now):", *self._metric_lines(), ""])

    def _production(self) -> str:
        if self.paused == NONE:
            return self.production
        return f"{self.production}, paused since {self.paused}; the release brings the endpoint back"

    def _metric_lines(self) -> list[str]:
        lines = [
            f"{name} {short(value)}{self._error(name)} ({short(self.production_metrics.get(name, NONE))})"
            for name, value in self.metrics.items()
            if not (name.endswith(_ERROR) and name.removesuffix(_ERROR) in self.metrics)
        ]
        return lines or ["no metrics"]

    def _error(self, name: str) -> str:
        error = number(self.metrics.get(f"{name}{_ERROR}"))
        return "" if error is None else f" ± {error:.2g}"


def _image_name(image: str) -> str:
    """Repository and digest, without the registry, which is in the full evidence."""
    name, at, digest = image.rpartition("/")[2].partition("@")
    return f"{_cut(name, 30)}{at}{digest}"


def _cut(text: str, maximum: int) -> str:
    return text if len(text) <= maximum else text[: maximum - 1] + "…"
