"""The rehearsal of a whole pipeline: real Terraform against the local AWS, and the pipeline that it deploys there."""
