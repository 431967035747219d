"""The notebook instance, and the script that runs at each start of it."""
