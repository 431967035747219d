"""A repository on GitHub, GitLab or Bitbucket, reached through a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from ..errors import Problem
from ._part import Part
from ._rules import matches, reference

if TYPE_CHECKING:
    from collections.abc import Iterator

ProviderType = Literal["GitHub", "GitLab", "Bitbucket"]
_PROVIDERS = get_args(ProviderType)
# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
MAX_NAME_LENGTH = 1000
_WITH_HOST = ("GitHubEnterpriseServer", "GitLabSelfManaged")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRepository(Part):
    """A repository and its connection; see ``Algorithm.from_connection`` and ``Algorithm.from_git``.

    Attributes:
        name: ``owner/repository``; GitLab's subgroups are part of it. Literal.
        connection_arn: ARN of an existing connection, or None to create one. Reference.
        provider_type: Provider of the connection to create, one of ``ProviderType``. Literal.
    """

    name: str
    connection_arn: str | None = None
    provider_type: str | None = None

    def problems(self) -> Iterator[Problem]:
        """Yield what is wrong."""
        yield from matches(
            "name",
            self.name,
            r"[\w.\-]+(?:/[\w.\-]+)+",
            "must be the full name of a repository, without host and '.git'",
            "use for example 'my-team/my-algorithm'",
        )
        if self.name.endswith(".git"):
            yield Problem("name", "must not end in '.git'", self.name, "leave it out")
        if len(self.name) > MAX_NAME_LENGTH:
            rule = f"must have at most {MAX_NAME_LENGTH} characters"
            yield Problem("name", rule, f"{len(self.name)} characters", "use a repository with a shorter name")
        if self.connection_arn is None:
            yield from self._provider_problems()
        else:
            yield from reference(
                "connection_arn",
                self.connection_arn,
                r"arn:aws[\w-]*:(?:codestar-connections|codeconnections):[a-z0-9-]+:\d{12}:connection/[\w-]+",
                "must be the ARN of a connection",
                "copy it from the console: Developer Tools, Settings, Connections",
            )

    def _provider_problems(self) -> Iterator[Problem]:
        if self.provider_type in _WITH_HOST:
            remedy = "create the connection in the console and use Algorithm.from_connection(...)"
            yield Problem("provider_type", "needs a host that a person sets up", self.provider_type, remedy)
        elif self.provider_type not in _PROVIDERS:
            pattern = "|".join(_PROVIDERS)
            yield from matches(
                "provider_type", str(self.provider_type), pattern, f"must be one of {list(_PROVIDERS)}", "correct it"
            )
