"""One module per command of `python -m skeletr`: `add_arguments(parser)` and `run(args)`."""
