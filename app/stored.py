"""What is kept of a visitor, where and for how long, in the words of the page."""

from __future__ import annotations

from app.settings import AppSettings


def stored(settings: AppSettings) -> str:
    """A note that opens when it is clicked."""
    kept = f"{settings.keep_minutes:g} minutes"
    facts = (
        "<b>Your video</b> and what is made from it lie on the disk of the computer that runs "
        "this app, under names that cannot be guessed. They are removed when you close the "
        f"page, when you give it something else, and otherwise after {kept}.",
        "<b>The camera</b>: its pictures are never written to a disk. Joints, labels and attention "
        f"of the last {settings.live_seconds / 60:g} minutes are kept in memory, so that you can "
        "save them, until the camera is started anew or you close the page. Only what you save is "
        f"a file on this computer too; it is removed with the page, or after {kept}.",
        "<b>A saved session</b> is on your own disk. It holds joints, boxes, times, labels, "
        "attention and the name of your file, and no picture.",
        "<b>What you teach</b> is joints and names, no picture. It is kept in memory, and as the "
        "file that you can save, until you forget it or close the page.",
        "<b>Blurring</b>, under Settings, changes what is drawn and downloaded, not the video "
        "that you gave. Who is not found is not blurred; “skeletons only” shows no picture at all.",
        "Nothing is sent to anybody else.",
    )
    rows = "".join(f"<li>{fact}</li>" for fact in facts)
    return (
        '<details class="sk-stored"><summary>What is stored, where and for how long</summary>'
        f"<ul>{rows}</ul></details>"
    )
