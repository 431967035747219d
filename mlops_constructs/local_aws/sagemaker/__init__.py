"""SageMaker: jobs, models, endpoints and notebook instances."""
