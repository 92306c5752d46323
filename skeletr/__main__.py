"""python -m skeletr ..."""

import os

# Before torch is imported, which reads it then: threads that spin while they wait take the
# processor from the pose model.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from skeletr.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
