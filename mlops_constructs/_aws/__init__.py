"""What the stages share: names within AWS limits, policies as data, roles, and the construct of one Lambda function."""
