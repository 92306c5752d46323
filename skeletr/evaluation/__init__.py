"""Metrics, protocols and the evaluation command."""

from skeletr.evaluation.command import add_arguments, evaluate, run

__all__ = ["add_arguments", "evaluate", "run"]
