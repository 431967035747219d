"""The evaluation gate between training and the first deployment."""
