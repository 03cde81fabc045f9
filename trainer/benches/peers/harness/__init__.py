"""What `run` is made of: the peers, how they are built, measured and tabulated."""
