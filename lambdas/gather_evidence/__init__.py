"""Gathers the evidence for the approver: a short message for the email and the console, and the full text in S3."""
