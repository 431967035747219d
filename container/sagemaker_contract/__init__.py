"""SageMaker's container contract: what ``train`` and ``serve`` do around the algorithm.

Nothing here knows the algorithm, and nothing here needs an edit to change it.
"""
