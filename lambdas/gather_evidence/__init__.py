"""Gathers what an approver must know: a short message for mail and console, and all of it in S3."""
