"""A/B tests: the functions that place the variants, judge a test, and take a challenger's requests away."""
