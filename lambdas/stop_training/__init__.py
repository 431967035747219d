"""Stops the jobs of an execution that was stopped or has failed, so that they cost nothing more.

Not only training jobs, as its name says: another name would replace the deployed function.
"""
