"""From an uploaded data set to a trained model: the check of the data set, the job, and their permissions."""
