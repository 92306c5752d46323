"""The endpoint for programs: a file goes in, the content of `result.json` comes out."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import gradio as gr

from app.controls import read
from app.job import Job
from app.sessions import Busy, Sessions
from app.settings import AppSettings, UserOptions
from skeletr.export import result_dict
from skeletr.overlay import PICTURES
from skeletr.pose import FRONTENDS

API_NAME = "recognize"
_POLL = 0.5  # seconds between two reports of how far it is


def api(sessions: Sessions, settings: AppSettings) -> None:
    """Add the endpoint to the current page; nothing of it is seen there."""

    usual = settings.usual_people

    def recognize(
        file: str,
        max_people: float = usual,
        threshold: float | None = None,
        pose: str = FRONTENDS[0],
        request: gr.Request = None,
        progress: gr.Progress = gr.Progress(),
    ) -> dict:
        """Recognise what the people in a video do, alone and with each other.

        Everybody is followed by a number. The answer names the likeliest actions of the whole
        video and of each person, and what was decided every `step_seconds`, with probabilities;
        where the model is not sure, the status says "unknown".

        Args:
            file: a video of up to ten minutes, or a session or recording saved by this app
            max_people: how many people are followed at once; no more than the server allows
            threshold: from 0 to 1, below it the answer is "unknown"; the model's own if left out
            pose: name of the pose model

        Returns:
            the content of result.json, described in docs/RESULT_FORMAT.md
        """
        own = threshold is not None
        try:
            options = read(
                settings.max_people, pose, max_people, own, threshold or 0.0, PICTURES[0]
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise gr.Error(str(error), print_exception=False) from error
        # A call of its own: one client may ask for several files at once.
        key = f"{request.session_hash or ''}/{secrets.token_urlsafe(8)}"
        return _recognise(sessions, Path(file), options, key, progress)

    file = gr.File(visible=False, label="Video, session or recording")
    people = gr.Number(usual, precision=0, minimum=1, visible=False)
    threshold = gr.Number(None, minimum=0, maximum=1, visible=False)
    pose = gr.Dropdown(list(FRONTENDS), value=FRONTENDS[0], visible=False)
    answer = gr.JSON(visible=False, label="Result")
    gr.Button(visible=False).click(
        recognize,
        [file, people, threshold, pose],
        answer,
        api_name=API_NAME,
        concurrency_limit=settings.jobs,
        concurrency_id="video",  # in one line with the page's visitors
        show_progress="hidden",
    )


def _recognise(
    sessions: Sessions, path: Path, options: UserOptions, key: str, progress: gr.Progress
) -> dict:
    try:
        session = sessions.get(key)
    except Busy as error:
        raise gr.Error(str(error), print_exception=False) from error
    try:
        job = session.begin(path, path.name, options, anew=True, files=False)
        while not job.wait(_POLL):
            session.used = time.monotonic()
            progress(job.share, desc=job.doing)
        return _answer(job)
    finally:
        sessions.close(key)


def _answer(job: Job) -> dict:
    """Raises `gr.Error` with one sentence where there is no result."""
    outcome = job.outcome
    if outcome is None or outcome.stopped:
        raise gr.Error(f"{job.name} was stopped.", print_exception=False)
    if outcome.result is None:
        raise gr.Error(outcome.problem, print_exception=False)
    return result_dict(outcome.result)
