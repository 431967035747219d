"""IAM's decisions: AWS's policy evaluation logic, and tables of the permissions that each call needs.

Pure functions of policies and requests: no client, no clock, no state.

- ``documents``: a policy, parsed once and checked against the grammar.
- ``request``: a principal, an action and a resource, with the condition keys.
- ``evaluate``: the decision on one request.
- ``actions``: the permissions that an API call needs.
- ``integrations``: the further permissions that the caller needs when a service acts with the caller's permissions.
- ``handlers``: the permissions that CloudFormation needs in a stack's role for one resource.
- ``service_roles``: the permissions that a service needs in a role that is passed to it.
- ``enforce``: checks calls against the policies of an account.
"""
