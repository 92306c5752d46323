"""Frames to people: pose frontends and where their model files come from."""

from __future__ import annotations

from skeletr.pose.base import USUAL_PEOPLE, PoseError, PoseFrontend

FRONTENDS = ("mediapipe", "rtmlib")

__all__ = ["FRONTENDS", "USUAL_PEOPLE", "PoseError", "PoseFrontend", "create_frontend"]


def create_frontend(name: str = "mediapipe", max_people: int = USUAL_PEOPLE) -> PoseFrontend:
    """A pose frontend by name, with its defaults; for one stream. Close it after use.

    Args:
        name: "mediapipe" or "rtmlib" (an optional package).
        max_people: the most people to report per frame.

    Raises:
        PoseError: the name is unknown, or what the frontend needs cannot be had.
    """
    if name == "mediapipe":
        from skeletr.pose.mediapipe_pose import MediaPipePose, MediaPipePoseConfig

        return MediaPipePose(MediaPipePoseConfig(max_people=max_people))
    if name == "rtmlib":
        from skeletr.pose.rtmlib_pose import RtmlibPose, RtmlibPoseConfig

        return RtmlibPose(RtmlibPoseConfig(max_people=max_people))
    raise PoseError(f"there is no pose frontend {name!r}, expected one of {FRONTENDS}")
