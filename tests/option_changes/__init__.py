"""What Terraform would do to a deployed pipeline after a change of each option: `make soak-changes`."""
