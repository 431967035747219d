"""The notebook instance, and the script that each of its starts runs."""
