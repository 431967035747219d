"""What the Lambda functions share: events, reports, tokens, settings, documents, jobs, clients and log lines."""
