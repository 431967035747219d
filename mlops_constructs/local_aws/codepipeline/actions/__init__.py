"""The action providers of the local AWS, one module each."""
