"""Scores an uploaded file, or all files at a time, with the model in production: starts one transform job."""
