"""A small CloudFormation: templates, change sets, and creation, update and rollback of six resource types."""
