"""Something that is learned in the background, to be looked at while it goes on."""

from __future__ import annotations

from app.task import Task


class Lesson(Task):
    """See `Task`; what it does is to learn."""

    fault = "This could not be learned because of a fault in this program; its log says more."
