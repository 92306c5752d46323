"""BlazePose's networks in a LiteRT interpreter: the cheaper of the two runners.

The constants are those of MediaPipe's own graphs for this model.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import LifoQueue

import cv2
import numpy as np

from skeletr.pose.base import PoseError
from skeletr.pose.geometry import (
    Region,
    Tile,
    cut,
    region_around,
    region_to_image,
    tile_region,
    transform,
)
from skeletr.pose.networks import LANDMARKS, Body
from skeletr.pose.prune import keep_outputs

DETECTOR_SIDE = 224
LANDMARK_SIDE = 256
STRIDES = (8, 16, 32, 32, 32)  # two anchors per cell and layer: 2254 in all
ROW = 5  # x, y, z, visibility, presence
CENTRE, RIM = 33, 34  # auxiliary landmarks: the middle of the hips, the circle around the body
OVERLAP = 0.3  # boxes of the detector (heads) that overlap more than this are one


class LiteRtNetworks:
    """Runs the two networks of a `.task` bundle, each call on one thread.

    Several calls at once take less processor time than one call on several threads, whose threads
    wait for one another; so `parallel` calls may run at the same time.
    """

    def __init__(self, bundle: Path, min_detection: float, threads: int = 2) -> None:
        """Raises `PoseError` where ai-edge-litert or the bundle cannot be used."""
        self.parallel = threads
        with zipfile.ZipFile(bundle) as archive:
            detector = archive.read("pose_detector.tflite")
            landmarker = archive.read("pose_landmarks_detector.tflite")
        self._detectors = _Pool(detector, threads)
        self._landmarkers = _Pool(keep_outputs(landmarker, {(1, 195), (1, 1)}), threads)
        self._anchors = anchors()
        self._min_detection = min_detection

    def detect(self, image: np.ndarray, tile: Tile) -> list[Region]:
        """See `PoseNetworks.detect`."""
        to_image = region_to_image(tile_region(tile), DETECTOR_SIDE)
        crop = cut(image, to_image, DETECTOR_SIDE, cv2.BORDER_CONSTANT)
        with self._detectors.one() as detector:
            outputs = detector.run(crop.astype(np.float32) / 127.5 - 1.0)
        heads, scores = outputs[(2254, 12)], sigmoid(outputs[(2254, 1)][:, 0])
        found = np.flatnonzero(scores >= self._min_detection)
        points = heads[found].reshape(-1, 6, 2)
        points[:, [0, 2, 3, 4, 5]] += self._anchors[found, None] * DETECTOR_SIDE
        keep = _distinct(points[:, 0], points[:, 1], scores[found])
        regions = []
        for i in keep:
            centre, rim = transform(to_image, points[i, 2:4])
            regions.append(region_around(centre, rim, float(scores[found[i]])))
        return regions

    def landmarks(self, image: np.ndarray, region: Region, slot: int) -> Body | None:
        """See `PoseNetworks.landmarks`; keeps nothing per slot."""
        to_image = region_to_image(region, LANDMARK_SIDE)
        crop = cut(image, to_image, LANDMARK_SIDE, cv2.BORDER_REPLICATE)
        with self._landmarkers.one() as landmarker:
            outputs = landmarker.run(crop.astype(np.float32) / 255.0)
        rows = outputs[(195,)].reshape(-1, ROW)
        points = transform(to_image, rows[:, :2])
        presence = float(outputs[(1,)][0])
        landmarks = np.concatenate([points, sigmoid(rows[:, 3:4])], axis=1)
        return Body(
            landmarks=landmarks[:LANDMARKS].astype(np.float32),
            region=region_around(points[CENTRE], points[RIM], presence),
            presence=presence,
            looked_at=region,
        )

    def reset(self) -> None:
        """See `PoseNetworks.reset`; there is nothing to forget."""

    def close(self) -> None:
        """See `PoseNetworks.close`."""
        self._detectors.close()
        self._landmarkers.close()


class _Pool:
    """Interpreters of one network, made when they are needed, each used by one thread at a time."""

    def __init__(self, model: bytes, size: int) -> None:
        self._model = model
        self._idle: LifoQueue[_Network | None] = LifoQueue()
        for _ in range(size - 1):
            self._idle.put(None)
        self._idle.put(_Network(model))

    @contextmanager
    def one(self) -> Iterator[_Network]:
        """An interpreter for the block; waits while all are in use."""
        network = self._idle.get()
        try:
            network = network or _Network(self._model)
            yield network
        finally:
            self._idle.put(network)

    def close(self) -> None:
        """Free those that are not in use."""
        while not self._idle.empty():
            self._idle.get_nowait()


class _Network:
    """One tflite network with a single image input."""

    def __init__(self, model: bytes) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise PoseError(
                f"the LiteRT runner needs the package ai-edge-litert ({error}); install it with "
                '`pip install ai-edge-litert` or choose runner="tasks"'
            ) from error
        self._interpreter = Interpreter(model_content=model, num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = {
            tuple(int(n) for n in o["shape"][1:]): o["index"]
            for o in self._interpreter.get_output_details()
        }

    def run(self, image: np.ndarray) -> dict[tuple[int, ...], np.ndarray]:
        """Outputs by shape (without the batch axis) for one (side, side, 3) float32 image."""
        self._interpreter.set_tensor(self._input, image[None])
        self._interpreter.invoke()
        return {s: self._interpreter.get_tensor(i)[0] for s, i in self._outputs.items()}


def anchors() -> np.ndarray:
    """Centres of the detector's 2254 anchors in [0, 1], (2254, 2) x and y."""
    layers = []
    for stride in STRIDES:
        side = DETECTOR_SIDE // stride
        y, x = np.mgrid[:side, :side]
        centres = (np.stack([x, y], axis=-1).reshape(-1, 1, 2) + 0.5) / side
        layers.append((side, np.repeat(centres, 2, axis=1)))
    # Layers of one size share their cells: all anchors of a cell stand together.
    out = []
    for side in dict.fromkeys(side for side, _ in layers):
        same = [centres for s, centres in layers if s == side]
        out.append(np.concatenate(same, axis=1).reshape(-1, 2))
    return np.concatenate(out).astype(np.float32)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Logistic function, safe for large values."""
    return 1.0 / (1.0 + np.exp(-np.clip(x, -60.0, 60.0)))


def _distinct(centres: np.ndarray, sizes: np.ndarray, scores: np.ndarray) -> list[int]:
    """Greedy non-maximum suppression; indices of the boxes that stay, best first."""
    if not len(scores):
        return []
    boxes = np.concatenate([centres - sizes / 2, sizes], axis=1).tolist()
    return [int(i) for i in cv2.dnn.NMSBoxes(boxes, scores.tolist(), 0.0, OVERLAP)]
