"""IAM as a judge: AWS's policy evaluation logic, and a table of what each call needs.

Pure functions of policies and requests: no client, no clock, no state.

- ``documents``: a policy, read once and checked against the grammar.
- ``request``: who asks for what, with which condition keys.
- ``evaluate``: the decision on one request.
- ``actions``: the permissions that a call of the API needs.
- ``integrations``: the permissions that a service needs besides, when it works with the rights of the caller.
- ``handlers``: the permissions that CloudFormation needs of a stack's role for one resource.
- ``service_roles``: the permissions that a service needs of a role that is handed to it.
- ``enforce``: calls held against the policies of an account.
"""
