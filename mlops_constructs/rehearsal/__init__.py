"""The rehearsal of a whole pipeline: real Terraform against the local AWS, and what then runs there."""
