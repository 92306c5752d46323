"""Made-up people who move: examples without a camera, and motion of no kind in particular."""

from skeletr.synthetic.babble import babble
from skeletr.synthetic.scenes import examples

__all__ = ["babble", "examples"]
