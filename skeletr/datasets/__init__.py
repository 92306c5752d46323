"""Readers of public skeleton data, one small file each, and the scenes composed from them."""

from skeletr.datasets.clip import Clip, DatasetError
from skeletr.datasets.load import DATASETS, load_clips

__all__ = ["DATASETS", "Clip", "DatasetError", "load_clips"]
