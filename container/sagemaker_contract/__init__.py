"""SageMaker's container contract: what ``train`` and ``serve`` do around the algorithm.

Nothing here depends on the algorithm, and another algorithm needs no edits here.
"""
