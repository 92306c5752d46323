"""What the page says about visitors' files is what the settings say."""

from __future__ import annotations

from app.engine import LIVE_HISTORY
from app.settings import AppSettings
from app.stored import stored


def test_the_page_says_how_long_files_and_labels_are_kept() -> None:
    told = stored(AppSettings(keep_minutes=37))
    assert "after 37 minutes" in told and f"labels of the last {LIVE_HISTORY:g}" in told
