"""What a checkpoint is, in one line: two with the same digest say the same."""

from __future__ import annotations

import hashlib
import json

from skeletr.checkpoint import Checkpoint


def checkpoint_digest(checkpoint: Checkpoint) -> str:
    """SHA-256 of the configuration and the weights, as hexadecimal digits."""
    known = getattr(checkpoint.model, "digest", None)  # one of ONNX was told when it was exported
    if known is not None:
        return known
    found = hashlib.sha256(json.dumps(checkpoint.as_config(), sort_keys=True).encode())
    for name, weight in sorted(checkpoint.model.state_dict().items()):
        values = weight.detach().cpu().contiguous().numpy()
        found.update(f"{name} {values.dtype} {values.shape}".encode())
        found.update(values.tobytes())
    return found.hexdigest()
