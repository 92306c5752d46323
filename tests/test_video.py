"""Video files in and out: timestamps, rotation, formats, limits, damage."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from skeletr.video import VideoError, VideoLimits, VideoReader, VideoWriter
from skeletr.video.decoder import _Clock
from tests.conftest import pattern


def square(image: np.ndarray) -> tuple[float, float]:
    """Centre (x, y) of the bright square of `pattern`, as shares of width and height."""
    y, x = np.nonzero(image[..., 0] > 150)
    return float(x.mean() / image.shape[1]), float(y.mean() / image.shape[0])


def test_frames_times_and_facts(moving_video: Path) -> None:
    reader = VideoReader(moving_video)
    frames = list(reader)
    assert (reader.info.width, reader.info.height, reader.info.codec) == (160, 120, "h264")
    assert reader.info.frames == len(frames) == 20
    assert reader.info.duration == pytest.approx(2.0)
    assert [f.time for f in frames] == pytest.approx(np.arange(20) / 10)
    assert frames[0].image.shape == (120, 160, 3) and frames[0].image.dtype == np.uint8
    assert not reader.warnings
    assert len(list(reader)) == 20  # a second pass sees the same


def test_colours_survive_writing_and_reading(tmp_path: Path) -> None:
    image = np.zeros((64, 96, 3), np.uint8)
    image[:, :32], image[:, 32:64], image[:, 64:] = (220, 40, 40), (40, 180, 60), (50, 70, 210)
    with VideoWriter(tmp_path / "colours.mp4", (96, 64)) as writer:
        writer.write(image, 0.0)
    read = next(iter(VideoReader(tmp_path / "colours.mp4"))).image
    centres = read[32, [16, 48, 80]].astype(int)
    assert np.abs(centres - image[32, [16, 48, 80]]).max() < 8


def test_writer_keeps_variable_times_odd_sizes_and_puts_the_index_first(tmp_path: Path) -> None:
    times = [0.0, 0.033, 0.1, 0.35, 0.4, 1.4]
    path = tmp_path / "out.mp4"
    with VideoWriter(path, (161, 121), fps=30) as writer:
        for index, time in enumerate(times):
            writer.write(pattern(index, (161, 121)), time)
    reader = VideoReader(path)
    assert [f.time for f in reader] == pytest.approx(times, abs=1e-4)
    assert reader.size == (162, 122)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


@pytest.mark.parametrize("cause", ["error", "nothing", "size", "time"])
def test_writer_leaves_nothing_behind_when_it_fails(tmp_path: Path, cause: str) -> None:
    with pytest.raises(ValueError), VideoWriter(tmp_path / "out.mp4", (160, 120)) as writer:
        if cause != "nothing":
            writer.write(pattern(0), 0.0)
        if cause == "size":
            writer.write(pattern(0, (80, 60)), 1.0)
        if cause == "time":
            writer.write(pattern(1), 0.0)
        if cause == "error":
            raise ValueError("the work failed")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_display_rotation_is_applied(make_video, rotation: int) -> None:
    frames = (pattern(0) for _ in range(3))
    reader = VideoReader(make_video(f"turned{rotation}.mp4", frames, rotation=rotation))
    image = next(iter(reader)).image
    turned = np.rot90(pattern(0), reader.info.rotation // 90)
    assert reader.info.rotation in (90, 180, 270)
    assert image.shape == turned.shape == (reader.size[1], reader.size[0], 3)
    assert square(image) == pytest.approx(square(turned), abs=0.02)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "size"),
    [
        ("grey.avi", "ffv1", "gray", (160, 120)),
        ("alpha.mov", "qtrle", "argb", (160, 120)),
        ("ten_bit.mkv", "ffv1", "yuv420p10le", (160, 120)),
        ("odd.avi", "ffv1", "yuv444p", (161, 121)),
        ("motion.avi", "mjpeg", "yuvj420p", (160, 120)),
    ],
)
def test_pixel_formats(make_video, name, codec, pix_fmt, size) -> None:
    frames = (pattern(i, size) for i in range(3))
    reader = VideoReader(make_video(name, frames, codec=codec, pix_fmt=pix_fmt))
    images = [f.image for f in reader]
    assert len(images) == 3
    assert images[0].shape == (size[1], size[0], 3)
    assert np.ptp(images[0]) > 60


def test_large_frames_are_scaled_down_for_processing_only(make_video) -> None:
    path = make_video("large.mp4", (pattern(i, (640, 360)) for i in range(3)))
    reader = VideoReader(path, VideoLimits(processing_side=320))
    assert (reader.info.width, reader.info.height) == (640, 360)
    assert reader.size == (320, 180)
    assert next(iter(reader)).image.shape == (180, 320, 3)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (VideoLimits(max_seconds=1.5), "too long"),
        (VideoLimits(max_frames=10), "10 frames"),
        (VideoLimits(max_pixels=10_000), "too large: 160x120"),
    ],
)
def test_limits_are_refused_at_once_and_named(moving_video: Path, limits, said: str) -> None:
    with pytest.raises(VideoError, match=said) as error:
        VideoReader(moving_video, limits)
    assert "moving.mp4" in str(error.value)


def test_too_large_pictures_are_refused_before_the_file_is_read_through(
    make_video, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video("bare.h264", (pattern(i) for i in range(20)))  # its length is counted

    def measured(*_: object) -> None:
        raise AssertionError("it was read through")

    monkeypatch.setattr("skeletr.video.decoder._scan", measured)
    with pytest.raises(VideoError, match="too large: 160x120"):
        VideoReader(path, VideoLimits(max_pixels=10_000))
    with pytest.raises(AssertionError, match="read through"):
        VideoReader(path)


def test_limits_hold_where_the_headers_say_nothing(make_video) -> None:
    path = make_video("live.mkv", (pattern(i) for i in range(20)))
    plain = path.read_bytes()
    position = plain.index(b"\x44\x89\x88")  # the Duration element of the Matroska header
    path.write_bytes(plain[:position] + b"\xec\x89" + plain[position + 2 :])  # now a Void
    assert VideoReader(path).info.duration == pytest.approx(1.9, abs=0.11)
    with pytest.raises(VideoError, match="too long"):
        VideoReader(path, VideoLimits(max_seconds=1))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("text.mp4", b"this is not a video", "not a video"),
        ("empty.mp4", b"", "empty"),
        ("list.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n", "not a video"),
        ("join.mp4", b"ffconcat version 1.0\nfile other.mp4\n", "not a video"),
    ],
)
def test_what_is_no_video_is_named(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VideoError, match=said) as error:
        VideoReader(tmp_path / name)
    assert str(error.value).startswith(name)
    assert str(tmp_path) not in str(error.value)


def test_sound_only_missing_and_shown_name(sound_only: Path, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="only sound"):
        VideoReader(sound_only)
    with pytest.raises(VideoError, match=r"my film\.mp4 cannot be found"):
        VideoReader(tmp_path / "0123", name="my film.mp4")


def test_a_file_cut_short_gives_its_frames_and_a_warning(make_video) -> None:
    path = make_video("cut.ts", (pattern(i) for i in range(40)))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    frames = list(VideoReader(path))
    assert 5 < len(frames) < 40


def test_a_beginning_that_cannot_be_decoded_is_said(make_video) -> None:
    path = make_video("late.ts", (pattern(i) for i in range(100)), fps=25, g="50", sc_threshold="0")
    whole, packet = path.read_bytes(), 188
    path.write_bytes(whole[len(whole) // packet // 4 * packet :])  # in mid-picture group
    reader = VideoReader(path)
    times = [f.time for f in reader]
    assert times[0] == 0 and len(times) == 50
    said = " ".join(reader.warnings)
    assert "begins with" in said and "count from its first frame" in said
    assert "only the first" not in said  # its end is there


def test_damage_in_the_middle_does_not_stop_the_rest(make_video) -> None:
    frames = [pattern(i) for i in range(40)]
    path = make_video("hurt.avi", iter(frames), codec="ffv1", slicecrc="1")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 600] = b"\xff" * 600
    path.write_bytes(bytes(data))
    times = [f.time for f in VideoReader(path)]
    assert len(times) >= 30
    assert np.all(np.diff(times) > 0)


def test_clock_repairs_missing_double_and_backward_times() -> None:
    clock = _Clock(0.1)
    given = [5.0, 5.1, 5.1, 5.2, None, 5.4, 2.0, 2.1, 2.2, 2.15, 2.3]
    times = [clock.next(t) for t in given]
    assert np.all(np.diff(times) > 0)
    assert times[:4] == pytest.approx([0.0, 0.1, 0.15, 0.2])
    assert times[5] == pytest.approx(0.4)
    assert times[6:9] == pytest.approx([0.5, 0.6, 0.7])  # a new time line goes on from here


def test_clock_without_any_times_counts_frames() -> None:
    clock = _Clock(0.04)
    assert [clock.next(None) for _ in range(3)] == pytest.approx([0.0, 0.04, 0.08])


REAL = {
    "bedroom_two_children.mp4": (960, 540, 200),
    "exercise_three_people.avi": (384, 288, 393),
    "upper_body_sign.mkv": (640, 480, 89),
    "derived/portrait_405x720_juggle.mp4": (404, 720, 247),
    "derived/rotation_metadata90_onebyone.mp4": (432, 768, 201),
    "derived/vfr_bedroom.mp4": (960, 540, 120),
}


@pytest.mark.parametrize("name", REAL)
def test_real_videos(videos: Path, name: str) -> None:
    reader = VideoReader(videos / name)
    width, height, count = REAL[name]
    times = []
    for frame in reader:
        assert frame.image.shape == (height, width, 3)
        times.append(frame.time)
    assert len(times) == count
    assert np.all(np.diff(times) > 0)
    assert not reader.warnings


def test_real_variable_frame_rate(videos: Path) -> None:
    steps = np.diff([f.time for f in VideoReader(videos / "derived/vfr_bedroom.mp4")])
    assert steps.min() == pytest.approx(1 / 30, abs=1e-3)
    assert steps.max() == pytest.approx(1 / 10, abs=1e-3)


def test_real_truncated_video(videos: Path) -> None:
    reader = VideoReader(videos / "derived/truncated_juggle.mp4")
    assert len(list(reader)) == 10
    assert any("only the first 0.4 s of 10.3 s" in w for w in reader.warnings)


def test_time_base_of_written_file_is_fine_enough(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", (32, 32)) as writer:
        for index in range(30):
            writer.write(pattern(index, (32, 64))[:32], index * 1001 / 30000)
    times = [f.time for f in VideoReader(tmp_path / "a.mp4")]
    expected = [float(i * Fraction(1001, 30000)) for i in range(30)]
    assert times == pytest.approx(expected, abs=2e-5)
