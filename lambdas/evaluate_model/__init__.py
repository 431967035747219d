"""Opens or closes the gate between training and the first deployment."""
