"""BVH files of a body that stands, as CMU's motion capture has them."""

from __future__ import annotations

import numpy as np

from skeletr.datasets import cmu_mocap
from skeletr.skeleton import COCO_INDEX

# Joint -> parent; the file has them in this order.
_PARENTS = {
    "Head": "Hips",
    **{f"{s}UpLeg": "Hips" for s in ("Left", "Right")},
    **{f"{s}Leg": f"{s}UpLeg" for s in ("Left", "Right")},
    **{f"{s}Foot": f"{s}Leg" for s in ("Left", "Right")},
    **{f"{s}ToeBase": f"{s}Foot" for s in ("Left", "Right")},
    **{f"{s}Arm": "Hips" for s in ("Left", "Right")},
    **{f"{s}ForeArm": f"{s}Arm" for s in ("Left", "Right")},
    **{f"{s}Hand": f"{s}ForeArm" for s in ("Left", "Right")},
}


def bvh_text(coco: np.ndarray, height: np.ndarray) -> str:
    """A file in which a body swings the left forearm.

    Args:
        coco: (17, 3) metres, x right, y down, z away; the T pose, which is frame 0.
        height: (T,) metres above the ground.
    """
    body = coco * (1, -1, -1) / cmu_mocap.METRES
    places = {name: body[COCO_INDEX[coco]] for coco, name in cmu_mocap.JOINTS.items()}
    places["Hips"] = (places["LeftUpLeg"] + places["RightUpLeg"]) / 2
    for side in ("Left", "Right"):
        places[f"{side}ToeBase"] = places[f"{side}Foot"] + (0, -1, 2)
    order: list[str] = []

    def joint(name: str, kind: str) -> list[str]:
        order.append(name)
        offset = places[name] - places[_PARENTS[name]] if name in _PARENTS else (0, 0, 0)
        children = [c for c, parent in _PARENTS.items() if parent == name]
        channels = "3" if name in _PARENTS else "6 Xposition Yposition Zposition"
        inner = [line for child in children for line in joint(child, "JOINT")]
        ends = [] if children else ["End Site", "{", "OFFSET 0 -1 0", "}"]
        place = "OFFSET " + " ".join(f"{x:.5f}" for x in offset)
        turns = f"CHANNELS {channels} Zrotation Yrotation Xrotation"
        return [f"{kind} {name}", "{", place, turns, *inner, *ends, "}"]

    lines = ["HIERARCHY", *joint("Hips", "ROOT"), "MOTION", f"Frames: {len(height)}"]
    rows = np.zeros((len(height), 3 + 3 * len(order)))
    rows[:, 1] = height / cmu_mocap.METRES
    swing = 3 + 3 * order.index("LeftForeArm")
    rows[1:, swing] = 20 * np.sin(np.arange(len(height) - 1) / 20)
    numbers = [" ".join(f"{x:.4f}" for x in row) for row in rows]
    return "\n".join([*lines, "Frame Time: 0.0083333", *numbers]) + "\n"
