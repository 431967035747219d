"""Decides for the gateway and the services of the account whether a call is allowed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mlops_constructs.local_aws.access.facts import AccountFacts
from mlops_constructs.local_aws.access.identities import Identities
from mlops_constructs.local_aws.access.keys import code_of, needs_usable_key, problem_of
from mlops_constructs.local_aws.access.policies import AccountPolicies
from mlops_constructs.local_aws.clock import utc_now
from mlops_constructs.local_aws.errors import LocalAwsError
from mlops_constructs.local_aws.iam.actions import needed_to_see_missing
from mlops_constructs.local_aws.iam.calls import Call, Check
from mlops_constructs.local_aws.iam.enforce import Authorizer, error_of
from mlops_constructs.local_aws.iam.request import Context, Principal

if TYPE_CHECKING:
    from mlops_constructs.local_aws.iam.calls import Site
    from mlops_constructs.local_aws.iam.decision import Decision

DecisionListener = Callable[["Decision"], None]
TagReader = Callable[[str], Mapping[str, str]]

_REMEMBERED = 500
# S3's response to HEAD has no body, so that the caller never sees the sentence.
_SILENT = "An error occurred (403) when calling the HeadObject operation"
_TAG_KEY = "aws:resourcetag/"


class DeniedError(LocalAwsError):
    """A policy does not allow what a role or service requests.

    Attributes:
        decision: The request, and why it is denied.
    """

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.message())
        self.decision = decision

    def code_of(self, service: str) -> tuple[str, int]:
        """Return the error code and the HTTP status with which a service answers."""
        return error_of(service)


class KeyUnusableError(DeniedError):
    """A KMS key that is needed is disabled, or its deletion is scheduled.

    Attributes:
        state: State of the key.
    """

    def __init__(self, decision: Decision, state: str) -> None:
        LocalAwsError.__init__(self, problem_of(decision.request.resource, state))
        self.decision = decision
        self.state = state

    def code_of(self, service: str) -> tuple[str, int]:
        """Return the error code and the HTTP status with which a service answers."""
        return code_of(service, self.state)


class Access:
    """Checks the calls of roles and services against the policies of the account.

    Attributes:
        enforced: Whether the calls of roles are checked; trust policies are always checked.
        policies: Reads the policies.
        facts: Reads KMS keys and tags.
        tags_of: Returns the tags of a resource by its ARN.
    """

    def __init__(self, site: Site, log: Callable[[str], None], *, enforced: bool) -> None:
        self.enforced = enforced
        self.policies = AccountPolicies(site)
        self.tags_of: TagReader = lambda arn: {}
        self._site = site
        self._log = log
        self._identities = Identities(site)
        self.facts = AccountFacts(site)
        self._judge = Authorizer(self.policies, self.facts)
        self._listeners: list[DecisionListener] = []
        self._remedies: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def add_listener(self, listener: DecisionListener) -> None:
        """Call ``listener`` with each decision, in the thread that makes it."""
        self._listeners.append(listener)

    def session(self, access_key: str) -> Principal | None:
        """Return the role session whose calls are to be checked; None for other callers, or if nothing is enforced."""
        return self._identities.session(access_key) if self.enforced else None

    def caller(self, access_key: str) -> Principal | None:
        """Return the role session that an access key belongs to, also if nothing is enforced; None for others."""
        return self._identities.session(access_key)

    def check_call(self, principal: Principal, service: str, operation: str, params: Mapping[str, Any]) -> None:
        """Check an API call.

        Raises:
            DeniedError: A permission is missing, for the call itself or for an action that it causes.
        """
        call = Call(service, operation, params, self._site, self._surroundings())
        for check in self._judge.needs(call):
            self._require(principal, check, call.context, head=operation == "HeadObject")

    def check_keys(self, service: str, operation: str, params: Mapping[str, Any]) -> None:
        """Check that the keys that a call needs can be used, whoever calls.

        Raises:
            KeyUnusableError: One cannot.
        """
        if not self.facts.has_unusable_keys():
            return
        call = Call(service, operation, params, self._site, self._surroundings())
        root = Principal.user(f"arn:{self._site.partition}:iam::{self._site.account}:root")
        for check in self._judge.needs(call):
            self._require_usable(self._judge.decide(root, check, call.context))

    def check_missing(self, principal: Principal, operation: str, params: Mapping[str, Any]) -> None:
        """Check whether a caller of S3 may know that an object does not exist.

        Raises:
            DeniedError: It may not: S3 returns 403 instead of 404.
        """
        call = Call("s3", operation, params, self._site, self._surroundings())
        self._require(principal, needed_to_see_missing(call), call.context, head=operation == "HeadObject")

    def check_role(
        self, credentials: Mapping[str, Any], checks: Iterable[Check], context: Context | None = None
    ) -> None:
        """Check what a service does by itself with a role that was passed to it.

        Args:
            credentials: The credentials of the role's session.
            checks: The actions of the service.
            context: Further condition keys beside those of the checks.

        Raises:
            DeniedError: A permission is missing.
        """
        principal = self.session(credentials["AccessKeyId"])
        if principal is None:
            return
        keys = self._surroundings().under(context or Context())
        for check in checks:
            self._require(principal, check, keys)

    def check_service(self, service: str, checks: Iterable[Check], source_arn: str) -> None:
        """Check what a service principal does without a role, against the policy of the resource.

        Args:
            service: Such as ``events.amazonaws.com``.
            checks: The actions of the service.
            source_arn: The resource for which it acts.

        Raises:
            DeniedError: The policy of the resource does not allow it.
        """
        if self.enforced:
            keys = self._surroundings().under(self._source(source_arn))
            for check in checks:
                self._require(Principal.service(service), check, keys)

    def may_assume(self, service: str, role_arn: str, source_arn: str) -> bool:
        """Whether the trust policy of a role allows a service to assume it."""
        keys = self._surroundings().under(self._source(source_arn))
        decision = self._judge.decide(Principal.service(service), Check("sts:AssumeRole", role_arn), keys)
        self._tell(decision)
        return decision.allowed

    def explain(self, text: str) -> str:
        """Append the missing permissions to an error text that quotes denied calls."""
        with self._lock:
            found = [remedy for said, remedy in self._remedies.items() if said in text and remedy not in text]
        return f"{text} [{'; '.join(dict.fromkeys(found))}]" if found else text

    def _require(self, principal: Principal, check: Check, context: Context, *, head: bool = False) -> None:
        decision = self._judge.decide(principal, self._with_tags(principal, check), context)
        self._tell(decision)
        if decision.allowed:
            self._require_usable(decision)
            return
        said, remedy = decision.message(), decision.remedy()
        with self._lock:
            for key in (said, _SILENT) if head else (said,):
                self._remedies[key] = remedy if key is said else f"{said}: {remedy}"
                self._remedies.move_to_end(key)
            while len(self._remedies) > _REMEMBERED:
                self._remedies.popitem(last=False)
        self._log(f"denied: {said} ({remedy})")
        raise DeniedError(decision)

    def _require_usable(self, decision: Decision) -> None:
        request = decision.request
        if needs_usable_key(request.action) and (state := self.facts.key_state(request.resource)) != "Enabled":
            self._log(f"a key cannot be used: {problem_of(request.resource, state)}")
            raise KeyUnusableError(decision, state)

    def _with_tags(self, principal: Principal, check: Check) -> Check:
        """Add the tags of the resource if a policy of the caller has a condition on them."""
        if not check.resource.startswith("arn:") or not self._asks_for_tags(principal):
            return check
        tags = {f"aws:ResourceTag/{key}": value for key, value in self.tags_of(check.resource).items()}
        return Check(check.action, check.resource, Context(tags).under(check.context), check.known) if tags else check

    def _asks_for_tags(self, principal: Principal) -> bool:
        return any(
            condition.key.lower().startswith(_TAG_KEY)
            for policy in self.policies.of_principal(principal).identity
            for statement in policy.statements
            for condition in statement.conditions
        )

    def _tell(self, decision: Decision) -> None:
        for listener in self._listeners:
            listener(decision)

    def _surroundings(self) -> Context:
        """Return the condition keys of every call; the local AWS serves plain HTTP but reports it as TLS."""
        now = utc_now()
        return Context(
            {
                "aws:SecureTransport": "true",
                "aws:SourceIp": "127.0.0.1",
                "aws:RequestedRegion": self._site.region,
                "aws:CurrentTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "aws:EpochTime": str(int(now.timestamp())),
            }
        )

    def _source(self, arn: str) -> Context:
        named = {"aws:SourceArn": arn} if arn else {}
        return Context({**named, "aws:SourceAccount": self._site.account})
