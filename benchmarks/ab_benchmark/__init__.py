"""How often the verdict of an A/B test is false, and how soon it comes; beside the usual ways."""
