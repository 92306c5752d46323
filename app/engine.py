"""The one model that all sessions share: loaded in the background, used by one at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from enum import StrEnum

from app.settings import AppSettings, UserOptions
from app.turns import Turns
from skeletr.actions import ActionLog, Actions
from skeletr.checkpoint import Checkpoint, CheckpointError
from skeletr.devices import DeviceError, pick_device
from skeletr.pose import FRONTENDS, create_frontend
from skeletr.pose.base import PoseError, PoseFrontend
from skeletr.recognizer import Recognizer, RecognizerConfig
from skeletr.recording import Person

_LOG = logging.getLogger(__name__)
_LIVE_HISTORY = 60.0  # seconds of labels that a live session keeps
_LOADING = "Loading the models. The first start fetches the pose model."
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

    def recognizer(self, options: UserOptions, live: bool = False) -> Recognizer:
        """A recogniser of one stream on the shared model. Call `wait` first."""
        if self._checkpoint is None:
            raise NotReady(self.message)
        history = _LIVE_HISTORY if live else None
        kept = 1 if live else RecognizerConfig.attention_kept
        config = RecognizerConfig(threshold=options.threshold, history=history, attention_kept=kept)
        return _OneAtATime(self._checkpoint, config, self._turns)

    def frontend(self, options: UserOptions) -> PoseFrontend:
        """A pose frontend of one stream; the caller closes it. Raises `PoseError`."""
        return self._make_frontend(options)

    def _prepare(self) -> None:
        try:
            checkpoint = self._load(self.settings)
            self._make_frontend(UserOptions(FRONTENDS[0])).close()
        except (CheckpointError, DeviceError, PoseError, ValueError) as error:
            self._fail(str(error))
        except Exception:
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


class _OneAtATime(Recognizer):
    """A recogniser that waits for its turn at the shared model."""

    def __init__(self, checkpoint: Checkpoint, config: RecognizerConfig, turns: Turns) -> None:
        self._turn = turns
        super().__init__(checkpoint, config)

    def step(self, people: Sequence[Person], time: float, image_size: tuple[int, int]) -> Actions:
        with self._turn:
            return super().step(people, time, image_size)

    def finish(self) -> ActionLog:
        with self._turn:
            return super().finish()


def _load_checkpoint(settings: AppSettings) -> Checkpoint:
    return Checkpoint.from_pretrained(settings.checkpoint, pick_device(settings.device))


def _make_frontend(options: UserOptions) -> PoseFrontend:
    return create_frontend(options.pose, max_people=options.max_people)
