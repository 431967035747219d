"""The configuration of a pipeline, with the rules over several parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal

from ..errors import ConfigError, Problem, under
from ._instances import has_own_disks
from ._kinds import fitted, hints_of, parts_of, without_followers
from ._part import Part
from ._rules import literal, matches, one_of, reference
from ._script_rules import range_problems, script_problems
from ._tags import tag_problems
from ._tokens import is_token
from .ab_test import ABTest
from .alarms import Alarms
from .algorithm import Algorithm
from .approval import Approval
from .batch import BatchTransform
from .cost import Cost
from .dataset import Dataset
from .endpoint import Endpoint
from .evaluation import Evaluation
from .existing import Existing
from .monitoring import Monitoring
from .network import Network
from .notebook import Notebook
from .requests import AllowedEndpoint, AllowedTraining, Requests
from .serving_rules import serving_problems
from .training import Training
from .tuning import Tuning

if TYPE_CHECKING:
    from collections.abc import Iterator

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments(Part):
    """The arguments of ``MLOpsPipeline``, which documents each and has the defaults.

    A test proves that names and types are the same there and here.
    """

    algorithm: Algorithm
    dataset: Dataset
    training: Training
    tuning: Tuning | None
    network: Network | None
    evaluation: Evaluation
    dev: Endpoint
    production: Endpoint
    ab_test: ABTest | None
    batch: BatchTransform | None
    monitoring: Monitoring | None
    alarms: Alarms
    approval: Approval
    cost: Cost
    notebook: Notebook | None
    existing: Existing
    name_prefix: str | None
    tags: Mapping[str, str]
    permissions_boundary_arn: str | None
    role_path: str
    log_retention_in_days: int
    removal: Literal["retain", "destroy"]

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong in each part and in the other arguments."""
        for field in fields(self):
            part = getattr(self, field.name)
            if isinstance(part, Part):
                yield from under(field.name, part.problems())
        yield from self._governance_problems()

    def problems_together(self) -> Iterator[Problem]:
        """Yield what does not fit together, if every part is of its class."""
        yield from self._metric_problems()
        yield from self._tuning_problems()
        yield from self._retraining_problems()
        yield from self._script_problems()
        endpoints = {"dev": self.dev, "production": self.production}
        yield from serving_problems(
            endpoints, network=self.network, ab_test=self.ab_test, cost=self.cost, requests=self._requests
        )
        # What a mode of serving excludes altogether, a DataCapture cannot make possible.
        if self.ab_test is not None and self.production.mode == "real-time":
            yield from self.ab_test.problems_with(self.production)
        if self.batch is not None:
            yield from self.batch.problems_with(self.dataset, self.algorithm.accept)
        if self.monitoring is not None:
            yield from self.monitoring.problems_with(self.dev, self.production, self.dataset)
        level = self.production.smoke_test.confidence_level
        if level is not None and not is_token(level):
            rule, remedy = "is only for dev: production cannot be compared with itself", "leave it out here"
            yield Problem("production.smoke_test.confidence_level", rule, level, remedy)

    @property
    def _requests(self) -> Requests:
        return Requests() if self.dataset.requests is None else self.dataset.requests

    def _script_problems(self) -> Iterator[Problem]:
        script, requests = self.algorithm.script, self._requests
        if script is None or list(script.problems()):
            return
        types = {
            "training": [*self.training.instance_types, *requests.training.instance_types],
            "dev": [self.dev.instance_type, *requests.dev.instance_types],
            "production": [self.production.instance_type, *requests.production.instance_types],
        }
        yield from script_problems(script, self.training, self.evaluation, types)
        if self.tuning is not None:
            yield from under("tuning", range_problems(self.tuning.hyperparameter_ranges))

    def _retraining_problems(self) -> Iterator[Problem]:
        duplicates = self.dataset.duplicates
        if self.algorithm.retrain_on_new_image is True and duplicates != "allow" and not is_token(duplicates):
            yield Problem(
                "dataset.duplicates",
                "must be 'allow' with algorithm.retrain_on_new_image, which trains on the same data again",
                duplicates,
                "remove one of the two",
            )

    def _metric_problems(self) -> Iterator[Problem]:
        built_in = self.algorithm.built_in
        if built_in is None:
            yield from under("evaluation", self.evaluation.metric_problems(self.training.metric_definitions))
        elif not list(built_in.problems()):
            yield from built_in.problems_with(self.training, self.tuning, self.evaluation)

    def _tuning_problems(self) -> Iterator[Problem]:
        if self.tuning is None:
            return
        known = None if self.algorithm.built_in is not None else self.training.metric_definitions
        yield from under("tuning", self.tuning.problems_with(self.training, known))
        yield from self._disk_problems()

    def _disk_problems(self) -> Iterator[Problem]:
        """A tuning job has one key for the volumes of all its instances; those with disks of their own refuse it."""
        types = [type_ for type_ in self.training.instance_types if not is_token(type_)]
        if len({has_own_disks(type_) for type_ in types}) > 1:
            rule = "in a tuning job all instance types must have disks of their own, or none"
            remedy = f"remove those unlike {self.training.instance_type}"
            yield Problem("training.retry.fallback_instance_types", rule, types, remedy)

    def _governance_problems(self) -> Iterator[Problem]:
        if self.name_prefix is not None:
            yield from matches(
                "name_prefix",
                self.name_prefix,
                r"(?!aws|ssm)(?=.{1,12}$)[a-z](?:-?[a-z0-9])*",
                "must be 1 to 12 lower-case letters, digits and single hyphens, starting with a letter but not with"
                " 'aws' or 'ssm', which Systems Manager reserves",
                "use for example 'churn'",
            )
        yield from tag_problems(self.tags)
        if self.permissions_boundary_arn is not None:
            rule, remedy = "must be the ARN of a policy", "give the ARN of a managed policy"
            yield from reference(
                "permissions_boundary_arn", self.permissions_boundary_arn, r"arn:\S*:policy/\S+", rule, remedy
            )
        yield from matches(
            "role_path",
            self.role_path,
            r"/|/[\x21-\x7e]{1,510}/",
            "must start and end with '/' and have at most 512 characters",
            "use for example '/ml/'",
        )
        if is_token(self.log_retention_in_days):
            yield from literal("log_retention_in_days", self.log_retention_in_days)
        elif self.log_retention_in_days not in LOG_RETENTION_DAYS:
            remedy = "choose one of these"
            yield Problem(
                "log_retention_in_days", f"must be one of {LOG_RETENTION_DAYS}", self.log_retention_in_days, remedy
            )
        yield from one_of("removal", self.removal, ("retain", "destroy"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineConfig(Arguments):
    """The validated arguments of ``MLOpsPipeline``. Raises ConfigError with all problems of all parts."""

    def __post_init__(self) -> None:
        given = Arguments(**{field.name: getattr(self, field.name) for field in fields(self)})
        problems = all_problems(given)
        if problems:
            raise ConfigError("MLOpsPipeline", problems)

    @property
    def training_of_algorithm(self) -> Training:
        """The training, with the metric definitions that the algorithm needs: a built-in algorithm needs none."""
        return self.training if self.algorithm.built_in is None else replace(self.training, metric_definitions={})

    @property
    def allowed_training(self) -> AllowedTraining:
        """What a data set may request for the training job."""
        return AllowedTraining.of(self.training, self._requests.training)

    @property
    def allowed_endpoints(self) -> dict[str, AllowedEndpoint]:
        """Environment (``dev``, ``production``) to what a data set may request for its endpoint."""
        return {
            "dev": AllowedEndpoint.of(self.dev, self._requests.dev),
            "production": AllowedEndpoint.of(self.production, self._requests.production),
        }

    @property
    def office_hours(self) -> dict[str, dict[str, float]]:
        """Environment to what it has outside its office hours, where it has any."""
        scaling = {"dev": self.dev.autoscaling, "production": self.production.autoscaling}
        hours = {name: None if one is None else one.office_hours for name, one in scaling.items()}
        return {name: one.outside for name, one in hours.items() if one is not None}


def all_problems(arguments: Arguments) -> list[Problem]:
    """Return what is wrong, in the order of the arguments: values of another type, and broken rules."""
    wrong: list[Problem] = []
    fitting = fitted("", Arguments, arguments, wrong)
    broken = list(fitting.problems())
    if all(parts_of(hints_of(Arguments).get(cause.field)) == () for cause in wrong):
        broken += fitting.problems_together()
    order = [field.name for field in fields(arguments)]
    problems = [*wrong, *without_followers(broken, wrong)]
    return sorted(problems, key=lambda problem: order.index(re.split(r"\W", problem.field)[0]))
