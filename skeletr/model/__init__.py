"""The SkeleTR network. This package knows tensors only.

Letters in shapes, as in the paper: N scenes, M sequences per scene, T frames, V joints,
C channels, L tokens per sequence, P body parts, K classes, d the width of the tokens.
"""

from skeletr.model.config import SkeleTRConfig, ctr, large, small
from skeletr.model.skeletr import SkeleTR, SkeleTROutput

__all__ = ["SkeleTR", "SkeleTRConfig", "SkeleTROutput", "ctr", "large", "small"]
