"""DEV and production: the CloudFormation template of an endpoint, its parameters, the roles and the smoke tests."""
