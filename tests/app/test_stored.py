"""What the page says about visitors' files is what the settings say."""

from __future__ import annotations

from app.settings import AppSettings
from app.stored import stored
from skeletr.video import VideoLimits


def test_the_page_says_how_long_files_and_labels_are_kept() -> None:
    told = stored(AppSettings(keep_minutes=37, live_minutes=3))
    assert "after 37 minutes" in told
    assert "What you teach" in told and "attention of the last 3 minutes" in told


def test_no_more_is_kept_of_a_camera_than_can_be_opened_again() -> None:
    settings = AppSettings(live_minutes=90, limits=VideoLimits(max_seconds=120))
    assert "attention of the last 2 minutes" in stored(settings)
