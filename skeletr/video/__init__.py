"""Video files in and out, with true timestamps and never a whole video in memory."""

from skeletr.video.info import OWN_FILES, VideoError, VideoFrame, VideoInfo, VideoLimits
from skeletr.video.reader import VideoReader, probe
from skeletr.video.writer import VideoWriter

__all__ = [
    "OWN_FILES",
    "VideoError",
    "VideoFrame",
    "VideoInfo",
    "VideoLimits",
    "VideoReader",
    "VideoWriter",
    "probe",
]
