"""Enforced permissions: the calls of an account's roles, held against the account's own policies.

- ``identities``: which role's session signed a request.
- ``policies``: the policies of roles and resources, read where moto keeps them.
- ``facts``: the keys and tags of what a call is about.
- ``access``: the judge that the gateway and the services ask.

``iam`` beside this package evaluates; this package knows the account.
"""
