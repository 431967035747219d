"""Finds the role session that signed a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.sts.models import sts_backends

from mlops_constructs.local_aws.iam.request import Principal

if TYPE_CHECKING:
    from mlops_constructs.local_aws.iam.calls import Site


class Identities:
    """The sessions of roles, by access key."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._sessions: dict[str, Principal] = {}

    def session(self, access_key: str) -> Principal | None:
        """Return the session that an access key belongs to.

        Returns:
            None for the account's administrator, and for a request that is not signed.
        """
        known = self._sessions.get(access_key)
        if known is not None:
            return known
        backend = sts_backends[self._site.account][self._site.partition]
        found = backend.get_assumed_role_from_access_key(access_key)
        if found is None:
            return None
        principal = Principal.role_session(found.role_arn, found.session_name)
        self._sessions[access_key] = principal
        return principal
