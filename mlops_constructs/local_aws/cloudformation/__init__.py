"""A small CloudFormation: templates, change sets, creation, update and rollback of six resource types."""
