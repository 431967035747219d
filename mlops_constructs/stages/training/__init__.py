"""From an uploaded data set to a trained model: the check, the job, and the permissions."""
