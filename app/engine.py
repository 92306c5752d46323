"""The one model that all sessions share: loaded in the background, used by one at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any

import torch

from app.ready_made import ReadyMade
from app.settings import AppSettings, UserOptions
from app.turns import Turns
from skeletr.actions import ActionLog, Actions
from skeletr.checkpoint import Checkpoint, CheckpointError
from skeletr.devices import DeviceError, is_out_of_memory, pick_device
from skeletr.evidence import Evidence
from skeletr.explore import Explorer
from skeletr.pipeline import Cancelled
from skeletr.pose import FRONTENDS, create_frontend
from skeletr.pose.base import PoseError, PoseFrontend
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.recording import Person, Recording
from skeletr.replay import recognize_recording
from skeletr.scoring import Taught
from skeletr.token_attention import WindowAttention

_LOG = logging.getLogger(__name__)
_LOADING = "Loading the models. The first start fetches the pose model."
_CARD_FULL = (
    "The graphics card of the server has no memory left. Try again in a moment; whoever runs the "
    "server can free some, or start it with --device cpu."
)
_RETRY = 30.0  # seconds after a failure before the models are tried again


class EngineState(StrEnum):
    """How far the models are."""

    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"
    STOPPING = "stopping"


class NotReady(RuntimeError):
    """The models cannot be used; the message says why and what to do."""


class Engine:
    """Loads the action model and fetches the pose model, and makes what a session needs.

    Args:
        load, make_frontend: what loads the checkpoint and makes a pose frontend; for tests.

    Attributes:
        ready_made: what the model said of the examples.
    """

    def __init__(
        self,
        settings: AppSettings,
        load: Callable[[AppSettings], Checkpoint] | None = None,
        make_frontend: Callable[[UserOptions], PoseFrontend] | None = None,
    ) -> None:
        self.settings = settings
        self.state = EngineState.LOADING
        self.message = _LOADING
        self._load = load or _load_checkpoint
        self._make_frontend = make_frontend or _make_frontend
        self._checkpoint: Checkpoint | None = None
        self.ready_made = ReadyMade()
        self._turns = Turns()
        self._done = threading.Event()
        self._start_lock = threading.Lock()
        self._tried: float | None = None

    def start(self) -> None:
        """Load in the background; does nothing if that is under way or done.

        A failure, of the network for example, is forgotten after a while and tried again.
        """
        with self._start_lock:
            failed = self.state is EngineState.FAILED
            if self._tried is not None and not (failed and time.monotonic() > self._tried + _RETRY):
                return
            self._tried = time.monotonic()
            self._done.clear()
            self.state, self.message = EngineState.LOADING, _LOADING
            threading.Thread(target=self._prepare, daemon=True, name="engine").start()

    def wait(self, timeout: float | None = None) -> None:
        """Return when the models can be used. Raises `NotReady` if they cannot."""
        self.start()
        if not self._done.wait(timeout) or self.state is not EngineState.READY:
            raise NotReady(self.message)

    def settled(self, timeout: float) -> bool:
        """Whether loading has ended, well or badly, within so many seconds."""
        self.start()
        return self._done.wait(timeout)

    def stop(self) -> None:
        """Say from now on that the program is about to end."""
        self.message = "The server is being restarted. This page goes on when it is back."
        self.state = EngineState.STOPPING

    @property
    def waiting(self) -> int:
        """How many threads wait for their turn at the model."""
        return len(self._turns)

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's vocabulary, empty until it is loaded."""
        return self._checkpoint.labels if self._checkpoint else ()

    @contextmanager
    def model(self) -> Iterator[Checkpoint]:
        """The shared model for as long as it is one's turn. Raises `NotReady`."""
        self.wait()
        with _turn(self._turns):
            yield self._checkpoint

    def recognizer(
        self, options: UserOptions, live: bool = False, taught: Taught | None = None
    ) -> Recognizer:
        """A recogniser of one stream on the shared model. Call `wait` first.

        taught: a visitor's own labels, beside the model's.
        """
        if self._checkpoint is None:
            raise NotReady(self.message)
        history = self.settings.live_seconds if live else None
        kept = 1 if live else RecognizerConfig.attention_kept
        config = RecognizerConfig(threshold=options.threshold, history=history, attention_kept=kept)
        return _OneAtATime(self._checkpoint, config, self._turns, taught)

    def frontend(self, options: UserOptions) -> PoseFrontend:
        """A pose frontend of one stream; the caller closes it. Raises `PoseError`."""
        return self._make_frontend(options)

    def explorer(
        self, recording: Recording, stop: threading.Event, taught: Taught | None = None
    ) -> Explorer:
        """What can be asked about a recording, which is recognised for it once more.

        taught: what it was recognised with.

        Raises `NotReady` where the models cannot be used or `stop` was set.
        """
        self.wait()
        config = RecognizerConfig(attention_kept=0, keep_tokens=True)
        recognizer = _OneAtATime(self._checkpoint, config, self._turns, taught)
        try:
            recognize_recording(recording, recognizer, cancel=stop)
        except Cancelled as error:
            raise NotReady("The page shows something else.") from error
        evidence = recognizer.evidence()
        if evidence is None:
            raise NotReady("There are no frames to ask about.")
        return _OneQuestionAtATime(self._checkpoint, evidence, self._turns, taught)

    def _prepare(self) -> None:
        try:
            checkpoint = self._load(self.settings)
            self._make_frontend(UserOptions(FRONTENDS[0])).close()
        except (CheckpointError, DeviceError, PoseError, ValueError) as error:
            self._fail(str(error))
        except Exception as error:
            if is_out_of_memory(error):
                torch.cuda.empty_cache()
                self._fail(_CARD_FULL)
            else:
                _LOG.exception("loading the models failed")
                self._fail("The models could not be loaded; the log of the server says why.")
        else:
            self._checkpoint = checkpoint
            device = next(checkpoint.model.parameters()).device.type
            if self.state is EngineState.LOADING:
                self.message = f"Ready: {len(checkpoint.labels)} actions, on {device.upper()}."
                self.state = EngineState.READY
            spent = time.monotonic() - (self._tried or 0.0)
            _LOG.info("models ready", extra={"fields": {"seconds": round(spent, 1)}})
        finally:
            self._done.set()

    def _fail(self, message: str) -> None:
        _LOG.warning("models not ready: %s", message)
        self._tried = time.monotonic()
        self.message = message
        self.state = EngineState.FAILED


@contextmanager
def _turn(turns: Turns) -> Iterator[None]:
    """A turn at the shared model. Raises `NotReady` where a graphics card has no memory left."""
    with turns:
        try:
            yield
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            torch.cuda.empty_cache()
            _LOG.warning("the graphics card has no memory left")
            raise NotReady(_CARD_FULL) from error


class _OneAtATime(Recognizer):
    """A recogniser that waits for its turn at the shared model."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        config: RecognizerConfig,
        turns: Turns,
        taught: Taught | None = None,
    ) -> None:
        self._turns = turns
        super().__init__(checkpoint, config, taught)

    def step(self, people: Sequence[Person], time: float, image_size: tuple[int, int]) -> Actions:
        with _turn(self._turns):
            return super().step(people, time, image_size)

    def finish(self) -> ActionLog:
        with _turn(self._turns):
            return super().finish()


class _OneQuestionAtATime(Explorer):
    """An explorer that waits for its turn at the shared model."""

    def __init__(
        self, checkpoint: Checkpoint, evidence: Evidence, turns: Turns, taught: Taught | None
    ) -> None:
        self._turns = turns
        super().__init__(checkpoint, evidence, taught)

    def without(self, *args: Any, **kwargs: Any) -> ActionLog:
        with _turn(self._turns):
            return super().without(*args, **kwargs)

    def attention(self, *args: Any, **kwargs: Any) -> WindowAttention | None:
        with _turn(self._turns):
            return super().attention(*args, **kwargs)


def _load_checkpoint(settings: AppSettings) -> Checkpoint:
    return Checkpoint.from_pretrained(settings.checkpoint, pick_device(settings.device))


def _make_frontend(options: UserOptions) -> PoseFrontend:
    return create_frontend(options.pose, max_people=options.max_people)
