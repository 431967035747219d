"""Enforces permissions: checks the calls of an account's roles against the account's own policies.

- ``identities``: which role's session signed a request.
- ``policies``: the policies of roles and resources, read from moto's backends.
- ``facts``: the KMS keys and tags of the resources of a call.
- ``access``: the checks that the gateway and the services call.

The package ``iam`` evaluates policies; this package reads them from the account.
"""
