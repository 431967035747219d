"""What the Lambda functions share: events, reports, tokens, settings, clients and log lines."""
