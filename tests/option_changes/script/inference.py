"""What serves it."""


def model_fn(model_dir: str) -> str:
    """Give the folder."""
    return model_dir
