"""DEV and production: the CloudFormation template of an endpoint, its parameters, the roles, the smoke tests."""
