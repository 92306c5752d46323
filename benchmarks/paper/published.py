"""What the paper says (ICCV 2023). Cost: G = 2^30 multiply-accumulates, M = 2^20 parameters."""

from __future__ import annotations

# Table 2, norms at evaluation, and Table 6, norms in training mode, Posetics' 320 classes.
# Model, M, T -> (parameters in M, G of Table 2, G of Table 6); None = not printed.
COST: dict[tuple[str, int, int], tuple[float | None, float | None, float | None]] = {
    ("S", 20, 30): (0.81, None, 2.430),
    ("S", 40, 15): (0.81, 2.74, 2.789),
    ("L", 20, 30): (3.82, None, 6.653),
    ("L", 40, 15): (3.82, 7.30, 7.394),
    ("ST-GCN++", 2, 300): (1.31, 5.44, None),
    ("CTR-GCN", 2, 300): (1.36, 5.36, None),
}
# Table 4: Posetics top-1, AVA mAP.
INTERACTION = {
    "gcn": (48.21, 17.56),
    "add-global": (51.06, 20.00),
    "concat-global": (50.01, 20.14),
    "non-local": (48.43, 19.78),
    "skeletr": (52.81, 20.92),
}
# Table 5: G of stage 2 of S at 20x30.
STAGE2 = {
    "1x1": 0.013,
    "txp": 5.211,
    "tx1": 0.356,
    "1xp": 0.080,
    "1xv": 0.429,
    "1x1+tx1": 0.392,
    "1x1+1xp": 0.101,
    "tx1+1xp": 0.550,
    "skeletr": 0.594,
}
# Table 6: how much less adaptive M costs than fixed M, in percent, at the same accuracy.
ADAPTIVE_SAVES = {"20x30-adaptive": 26, "skeletr": 52}
# Table 7: AVA mAP with sequences of 10 s.
TRANSFER = {"scratch": 21.33, "joint": 25.69}
