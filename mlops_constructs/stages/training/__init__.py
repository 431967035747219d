"""From an uploaded data set to a trained model: what is checked, how the job is asked for, who may do it."""
