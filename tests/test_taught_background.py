"""Features relative to a background: every direction of it counts alike."""

from __future__ import annotations

import numpy as np

from skeletr.taught_background import Background


def test_what_varies_anyway_says_little_and_what_never_varies_says_much() -> None:
    rng = np.random.default_rng(0)
    spread = np.array([10.0, 1.0, 0.1, 0.1], np.float32)
    found = rng.normal(size=(2000, 4)).astype(np.float32) * spread + 3
    background = Background.of([found[:500], found[500:]])
    assert np.allclose(np.linalg.norm(background.features, axis=1), 1, atol=1e-4)
    usual, odd = np.eye(4, dtype=np.float32)[[0, 2]] + found.mean(axis=0)
    x, y = (v - background.mean for v in (usual, odd))
    assert np.linalg.norm(y @ background.whitening) > np.linalg.norm(x @ background.whitening)
    assert np.allclose(np.linalg.norm(background.relative(found[:9]), axis=1), 1, atol=1e-4)


def test_a_background_without_variety_gives_finite_features() -> None:
    same = np.ones((3, 5), np.float32)
    background = Background.of([same])
    assert np.isfinite(background.relative(same + 1)).all()
