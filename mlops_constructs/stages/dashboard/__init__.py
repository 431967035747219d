"""The dashboard: what a pipeline and its endpoints do, on one page of CloudWatch."""
