"""What the services of a local AWS hold, written to a file and restored in another process."""
