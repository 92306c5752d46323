"""A saved session of which every text tries to become part of the page that shows it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from app.settings import AppSettings
from skeletr.actions import Prediction, Status, Track
from skeletr.checkpoint import Checkpoint
from skeletr.model import SkeleTR, SkeleTRConfig
from skeletr.recognizer import Recognizer
from skeletr.replay import recognize_recording
from skeletr.session import Session
from tests.app.fakes import untrained
from tests.synthetic import scene

LABELS = (
    "<script>window.hit = 1</script>",
    '<img src=x onerror="window.hit = 2">',
    '" onmouseover="window.hit = 3" x="',
    "' onfocus='window.hit = 4' autofocus x='",
    "</script></style></textarea><svg onload=window.hit=5>",
    '<a href="javascript:window.hit = 6">{{7*7}}${7*7}%{y}</a>',
    "--> <c.x>]]><iframe srcdoc='<script>top.hit = 7</script>'>",
)
NAME = '<img src=x onerror="window.hit = 8">.mp4'
WARNING = "<script>window.hit = 9</script>"


def checkpoint() -> Checkpoint:
    """A network that was taught nothing, and knows these labels."""
    count = len(LABELS)
    model = SkeleTR(SkeleTRConfig(instance_classes=count, scene_classes=count)).eval()
    return replace(untrained(AppSettings()), model=model, labels=LABELS)


def save_session(path: Path) -> None:
    """Two people for eight seconds who do one of the labels after the other."""
    recording = scene([150, 450], np.arange(120) / 15)
    result = recognize_recording(recording, Recognizer(checkpoint()), name=NAME)
    log = result.log
    people = {person: _says_all(track, person) for person, track in log.people.items()}
    log = replace(log, people=people, scene=_says_all(log.scene, 0))
    Session.of(replace(result, log=log, warnings=(WARNING,))).save(path)


def _says_all(track: Track, first: int) -> Track:
    said = tuple(_says((first + i) % len(LABELS), i) for i in range(len(track.times)))
    return replace(track, predictions=said)


def _says(index: int, step: int) -> Prediction:
    """Surely; every fourth is a guess."""
    scores = np.full(len(LABELS), 0.01, np.float32)
    scores[index] = 0.9
    status = Status.UNKNOWN if step % 4 == 3 else Status.OK
    return Prediction(status, scores, LABELS[index], float(scores[index]))
