"""The configuration of a pipeline, with the rules over several parts."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from ..errors import ConfigError, Problem, under
from ._instances import has_own_disks
from ._kinds import is_part, kind_problems
from ._rules import is_token, literal, matches, one_of
from .requests import AllowedEndpoint, AllowedTraining, Requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Literal

    from .algorithm import Algorithm
    from .approval import Approval
    from .dataset import Dataset
    from .endpoint import Endpoint
    from .evaluation import Evaluation
    from .existing import Existing
    from .network import Network
    from .notebook import Notebook
    from .training import Training
    from .tuning import Tuning

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)

# An endpoint's template contains the tags three times, and CloudFormation limits a template to 51,200 bytes.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_TAG_LENGTH = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineConfig:
    """The validated arguments of ``MLOpsPipeline``, which documents each and has the defaults.

    A test proves that names and types are the same there and here.

    Raises ConfigError with all problems of all parts.
    """

    algorithm: Algorithm
    dataset: Dataset
    training: Training
    tuning: Tuning | None
    network: Network | None
    evaluation: Evaluation
    dev: Endpoint
    production: Endpoint
    approval: Approval
    notebook: Notebook | None
    existing: Existing
    name_prefix: str | None
    tags: Mapping[str, str]
    permissions_boundary_arn: str | None
    role_path: str
    log_retention_in_days: int
    removal: Literal["retain", "destroy"]

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise ConfigError("MLOpsPipeline", problems)

    def _problems(self) -> Iterator[Problem]:
        fitting = True
        for field in fields(self):
            if not is_part(str(field.type)):
                continue
            part = getattr(self, field.name)
            # Where a value has another type, neither the rules of its part nor those over several parts can be applied.
            wrong = list(kind_problems(field.name, str(field.type), part))
            fitting = fitting and not wrong
            yield from wrong if wrong or part is None else under(field.name, part.problems())
        yield from self._governance_problems()
        if fitting:
            yield from self._metric_problems()
            yield from self._tuning_problems()
            yield from self._retraining_problems()

    def _retraining_problems(self) -> Iterator[Problem]:
        if self.algorithm.retrain_on_new_image is True and self.dataset.duplicates != "allow":
            yield Problem(
                "dataset.duplicates",
                "must be 'allow' with algorithm.retrain_on_new_image, which trains on the same data again",
                self.dataset.duplicates,
                "remove one of the two",
            )

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
    def _requests(self) -> Requests:
        return Requests() if self.dataset.requests is None else self.dataset.requests

    def _metric_problems(self) -> Iterator[Problem]:
        built_in = self.algorithm.built_in
        if built_in is None:
            known = list(self.training.metric_definitions)
            yield from under("evaluation", self.evaluation.metric_problems(known))
        elif not list(built_in.problems()):
            yield from built_in.problems_with(self.training, self.tuning, self.evaluation)

    def _tuning_problems(self) -> Iterator[Problem]:
        if self.tuning is None:
            return
        known = None if self.algorithm.built_in is not None else list(self.training.metric_definitions)
        yield from under("tuning", self.tuning.problems_with(self.training, known))
        yield from self._disk_problems()

    def _disk_problems(self) -> Iterator[Problem]:
        """A tuning job has one key for the volumes of all its instances; those with disks of their own refuse it."""
        types = [type_ for type_ in self.training.instance_types if isinstance(type_, str) and not is_token(type_)]
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
        yield from _tag_problems(self.tags)
        boundary = self.permissions_boundary_arn
        if boundary is not None and not is_token(boundary) and ":policy/" not in boundary:
            remedy = "give the ARN of a managed policy"
            yield Problem("permissions_boundary_arn", "must be the ARN of a policy", boundary, remedy)
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


def _tag_problems(tags: Mapping[str, str]) -> Iterator[Problem]:
    """Apply the rules that all services with these tags share."""
    # SageMaker jobs and model packages have at most 50 tags, and the pipeline adds its own.
    # https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    if len(tags) > 40:
        yield Problem("tags", "must have at most 40 entries", len(tags), "leave some out")
    size = len(json.dumps({str(key): str(value) for key, value in tags.items()}))
    if size > MAX_TAG_LENGTH:
        rule = f"must have at most {MAX_TAG_LENGTH} characters in total, as JSON"
        yield Problem("tags", rule, f"{size} characters", "shorten them, or remove some")
    for key, value in tags.items():
        yield from matches(
            f"tags[{key!r}]",
            key,
            r"(?!(?i:aws:))[\w\s.:/=+\-@]{1,128}",
            "the key must have 1 to 128 letters, digits, spaces and _.:/=+-@, and not start with 'aws:'",
            "rename it",
        )
        yield from matches(
            f"tags[{key!r}]",
            value,
            r"[\w\s.:/=+\-@]{0,256}",
            "the value must have at most 256 letters, digits, spaces and _.:/=+-@",
            "shorten or reword it",
        )
