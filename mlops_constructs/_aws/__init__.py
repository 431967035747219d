"""What the stages share: names within AWS limits, policies as data, roles, one-Lambda maker."""
