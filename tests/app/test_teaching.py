"""One visitor's own actions: questions, files, and how Live takes them over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from app import teach_busy, teach_view
from app import teacher as teacher_module
from app.engine import Engine
from app.lesson import Lesson
from app.live import LiveStream
from app.sessions import Session, Sessions
from app.settings import AppSettings, UserOptions
from app.teach_files import MOST_FILES, lesson_from_files
from app.teacher import Teacher
from app.teaching import MOST_EXAMPLES, Teaching, long_seen
from app.vault import Vault
from skeletr.pipeline import Cancelled
from skeletr.recording import Frame, Recording
from skeletr.synthetic.babble import babble
from skeletr.taught_head import Example
from skeletr.teach import TaughtActions, TeachError
from tests.app.fakes import FakePose, untrained
from tests.synthetic import scene

OPTIONS = UserOptions("fake")
TIMES = np.arange(50) / 25


@pytest.fixture(scope="module")
def engine() -> Engine:
    made = Engine(AppSettings(), untrained, lambda options: FakePose())
    made.wait(60)
    return made


@pytest.fixture(scope="module")
def teacher(engine: Engine) -> Teacher:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teacher_module, "background_scenes", lambda: babble(4))
        made = Teacher(engine)
        made._others()
    return made


@pytest.fixture
def sessions(engine: Engine, tmp_path: Path) -> Sessions:
    return Sessions(engine, Vault(tmp_path / "files", 3600))


@pytest.fixture
def session(sessions: Sessions) -> Session:
    return sessions.get("a")


def one() -> Recording:
    return scene([150], TIMES)


def two() -> Recording:
    return scene([150, 450], TIMES)


def taught_files(
    paths: list[Path], name: str, mine: Teaching, teacher: Teacher, sessions: Sessions
) -> str:
    lesson = lesson_from_files(paths, name, mine, teacher, sessions)
    lesson.start()
    assert lesson.wait(60)
    return lesson.told


def test_an_example_of_one_person_is_learned_at_once(session: Session, teacher: Teacher) -> None:
    mine = session.teaching
    assert mine.taught is None
    assert "Example 1 of “juggle” was learned" in mine.offer(teacher, " juggle ", one())
    assert mine.taught.names == ("juggle",) and mine.learned.tried.accuracy == {}
    mine.offer(teacher, "Juggle", one())  # the same, whatever its case
    assert mine.actions.count("juggle") == 2 and mine.learned.tried.accuracy["juggle"] <= 1
    mine.use = False
    assert mine.taught is None


def test_several_people_are_asked_about(session: Session, teacher: Teacher) -> None:
    mine = session.teaching
    assert "Pick who" in mine.offer(teacher, "juggle", two())
    assert mine.learned is None and mine.asked.people == (0, 1)
    shown = teach_view.question(mine.asked)
    assert 'data-pick="0"' in shown and 'data-pick="1"' in shown and shown.count("<svg") == 2
    mine.pick(teacher, 1)
    assert mine.asked is None and mine.actions.examples[0].person == 1
    mine.offer(teacher, "juggle", two())
    mine.pick(teacher, None)
    assert mine.actions.examples[1].person is None
    mine.offer(teacher, "juggle", two())
    with pytest.raises(TeachError):
        mine.pick(teacher, 7)
    mine.offer(teacher, "juggle", two())
    mine.skip()
    assert mine.asked is None and mine.actions.count("juggle") == 2


def test_who_passes_by_is_not_offered() -> None:
    frames = list(two().frames())
    brief = [Frame(f.time, f.people if i < 5 else f.people[:1]) for i, f in enumerate(frames)]
    assert long_seen(Recording.from_frames(brief, (640, 480))) == (0,)
    assert long_seen(scene([], TIMES)) == ()


@pytest.mark.parametrize("name", ["", "  ", "WALK", "run ", "x" * 41, "a\x00b"])
def test_names_that_cannot_be(session: Session, teacher: Teacher, name: str) -> None:
    with pytest.raises(TeachError) as error:
        session.teaching.offer(teacher, name, one())
    assert str(error.value).endswith(".")
    assert session.teaching.learned is None


def test_examples_that_cannot_be(session: Session, teacher: Teacher) -> None:
    with pytest.raises(TeachError, match="Nobody was seen"):
        session.teaching.offer(teacher, "juggle", scene([], TIMES))
    with pytest.raises(TeachError, match="too short"):
        session.teaching.offer(teacher, "juggle", one().between(0, 0.2))
    with pytest.raises(TeachError, match=r"Only 1\.0 frames per second"):
        session.teaching.offer(teacher, "juggle", scene([150], np.arange(5.0)))
    assert not session.teaching.actions.examples


def test_deleting_and_forgetting(session: Session, teacher: Teacher) -> None:
    mine = session.teaching
    mine.offer(teacher, "juggle", one())
    mine.offer(teacher, "bounce", one())
    mine.remove(teacher, 0)
    assert mine.taught.names == ("bounce",)
    with pytest.raises(TeachError, match="no longer there"):
        mine.remove(teacher, 5)
    mine.remove(teacher, 0)
    assert mine.taught is None and mine.file() is None
    mine.offer(teacher, "juggle", one())
    mine.clear()
    assert mine.taught is None and not mine.actions.examples


def test_saved_loaded_by_another_visitor_and_gone_with_the_page(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    first, second = sessions.get("a"), sessions.get("b")
    first.teaching.offer(teacher, "juggle", one())
    assert second.teaching.taught is None
    file = first.teaching.file()
    shared = tmp_path / "shared.npz"
    shared.write_bytes(file.read_bytes())
    told = second.teaching.load(teacher, shared)
    assert told == "1 example of “juggle” was added."
    assert second.teaching.taught.names == ("juggle",)
    sessions.close("a")
    assert not file.exists() and first.teaching.taught is None
    assert second.teaching.taught is not None


def test_a_file_that_cannot_be_used_changes_nothing(
    session: Session, teacher: Teacher, tmp_path: Path
) -> None:
    mine = session.teaching
    mine.offer(teacher, "juggle", one())
    learned = mine.learned
    known, damaged, many = tmp_path / "known.npz", tmp_path / "bad.npz", tmp_path / "many.npz"
    TaughtActions().add("walk", one()).save(known)
    damaged.write_bytes(known.read_bytes()[:200])
    full = TaughtActions()
    for _ in range(MOST_EXAMPLES):
        full = full.add("bounce", one())
    full.save(many)
    for path, why in ((known, "knows “walk” already"), (damaged, "bad.npz"), (many, "the most")):
        with pytest.raises(TeachError, match=why):
            mine.load(teacher, path)
    assert mine.learned is learned


def test_a_set_has_the_limits_of_recordings(
    session: Session, teacher: Teacher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, path = one(), tmp_path / "set.npz"
    many = replace(
        few,
        frame=np.zeros(1200, np.int32),
        person=np.arange(1200, dtype=np.int32),
        keypoints=np.repeat(few.keypoints[:1], 1200, axis=0),
        boxes=np.repeat(few.boxes[:1], 1200, axis=0),
    )
    dense = scene([150], np.arange(40_000) / 1000)
    monkeypatch.setattr(teacher, "look", lambda *_: pytest.fail("it was looked at"))
    for recording, why in ((many, "1,200 people, the limit is 1,000"), (dense, "40000 frames")):
        TaughtActions().add("bounce", few).add("bounce", recording).save(path)
        with pytest.raises(TeachError, match=why) as error:
            session.teaching.load(teacher, path)
        assert str(error.value).startswith("set.npz") and session.teaching.learned is None


def test_a_part_of_something_long_is_an_example(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    path, mine = tmp_path / "late.npz", sessions.get("a").teaching
    scene([150], 100 + TIMES).save(path)
    lesson = lesson_from_files([path], "juggle", mine, teacher, sessions)
    lesson.look(sessions.checks, AppSettings().limits)
    assert not lesson.refused
    lesson.start()
    assert lesson.wait(60) and "was learned" in lesson.told


def test_a_long_recording_is_no_clip(sessions: Sessions, teacher: Teacher, tmp_path: Path) -> None:
    path, mine = tmp_path / "long.npz", sessions.get("a").teaching
    scene([150], np.arange(0, 90, 0.25)).save(path)
    lesson = lesson_from_files([path], "juggle", mine, teacher, sessions)
    lesson.look(sessions.checks, AppSettings().limits)
    lesson.start()
    assert lesson.wait(60) and "an example of 90 s" in lesson.told


def test_files_that_were_deleted_meanwhile_are_said_to_be_gone(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    mine, paths = sessions.get("a").teaching, [tmp_path / "a.mp4", tmp_path / "b.npz"]
    lesson = lesson_from_files(paths, "juggle", mine, teacher, sessions)
    lesson.look(sessions.checks, AppSettings().limits)
    assert lesson.told_at_once.count("is no longer on this server; give it again.") == 2
    told = taught_files(paths, "juggle", mine, teacher, sessions)
    assert told.count("is no longer on this server; give it again.") == 2


def test_recordings_are_examples_and_what_is_none_is_explained(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    mine = sessions.get("a").teaching
    good, bad = tmp_path / "good.npz", tmp_path / "<b>bad.npz"
    one().save(good)
    bad.write_bytes(b"PK nothing")
    told = taught_files([good, bad], "juggle", mine, teacher, sessions)
    assert "was learned" in told and "&lt;b&gt;bad.npz" in told and "<b>bad" not in told
    assert mine.actions.count("juggle") == 1
    assert "name first" in taught_files([good], "", mine, teacher, sessions)


def test_how_far_the_files_are_is_told(
    sessions: Sessions, teacher: Teacher, tmp_path: Path, make_video
) -> None:
    mine = sessions.get("a").teaching
    still = (np.full((120, 160, 3), i, np.uint8) for i in range(40))
    paths = [make_video("clip.mp4", still), tmp_path / "two.npz"]
    two().save(paths[1])
    lesson, told = lesson_from_files(paths, "juggle", mine, teacher, sessions), []
    note = lesson.note
    lesson.note = lambda *args: (note(*args), told.append((*args, lesson.bar)))
    lesson.start()
    assert lesson.wait(60) and lesson.told.count("sk-note") == 2
    shares = [share for _, _, share, _ in told]
    assert shares == sorted(shares) and 0 <= shares[0] < 0.1 and shares[-1] == 0.95
    assert {name for name, *_ in told} == {"clip.mp4 (1 of 2)", "two.npz (2 of 2)"}
    assert {doing for _, doing, *_ in told} == {"Looking at", "Learning from"}
    assert len(told) > 10  # also while a clip is looked at
    assert "about 0:0" in told[-1][3] and 'aria-valuenow="95"' in told[-1][3]


def test_what_is_learned_from_files_can_be_stopped(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    mine = sessions.get("a").teaching
    paths = [tmp_path / f"{i}.npz" for i in range(4)]
    for path in paths:
        one().save(path)
    lesson = mine.lesson = lesson_from_files(paths, "juggle", mine, teacher, sessions)
    note = lesson.note

    def stop_at_the_second(name: str, doing: str, share: float) -> None:
        note(name, doing, share)
        if share > 0.25:
            assert not mine.drop_lesson()  # it runs, and says itself what came of it

    lesson.note = stop_at_the_second
    lesson.start()
    assert lesson.wait(60)
    assert "1.npz was stopped. 2 more left out. What was learned before stays." in lesson.told
    assert mine.actions.count("juggle") == 1


def test_files_that_wait_are_kept_and_let_go_when_given_up(
    sessions: Sessions, teacher: Teacher
) -> None:
    path = sessions.vault.root / "folder" / "clip.npz"
    for give_up in (lambda mine: mine.drop_lesson(), lambda mine: mine.close()):
        path.parent.mkdir(parents=True, exist_ok=True)
        one().save(path)
        mine = Teaching(sessions.vault)
        mine.lesson = lesson_from_files([path], "juggle", mine, teacher, sessions)
        sessions.vault.release(object())
        assert path.exists()
        give_up(mine)
        assert mine.lesson is None and not path.exists()


def test_more_files_than_are_taken_are_said_to_be_left_out(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    path = tmp_path / "none.npz"
    path.write_bytes(b"nothing")
    mine = sessions.get("a").teaching
    told = taught_files([path] * (MOST_FILES + 3), "juggle", mine, teacher, sessions)
    assert "23 files were dropped; 20 at once is the most. Drop the last 3 again." in told
    assert told.count("none.npz") == MOST_FILES  # each is named once
    assert "at once" not in taught_files([path] * MOST_FILES, "juggle", mine, teacher, sessions)


def test_clips_are_followed_for_as_many_people_as_the_settings_say(
    tmp_path: Path, teacher: Teacher, make_video
) -> None:
    asked: list[UserOptions] = []
    settings = AppSettings(max_people=2)
    made = Engine(settings, untrained, lambda options: asked.append(options) or FakePose())
    made.wait(60)
    own = Sessions(made, Vault(tmp_path / "files", 3600))
    clip = make_video("few.mp4", (np.full((120, 160, 3), i, np.uint8) for i in range(5)))
    taught_files([clip], "juggle", own.get("a").teaching, teacher, own)
    assert asked[-1].max_people == 2


def test_a_clip_that_is_refused_costs_no_pose_model(
    tmp_path: Path, teacher: Teacher, make_video
) -> None:
    made: list[UserOptions] = []
    engine = Engine(AppSettings(), untrained, lambda options: made.append(options) or FakePose())
    engine.wait(60)
    made.clear()  # one is made at the start, to see whether it can be
    own = Sessions(engine, Vault(tmp_path / "files", 3600))
    letter = tmp_path / "letter.mp4"
    letter.write_text("Dear all")
    still = (np.full((120, 160, 3), i % 200, np.uint8) for i in range(650))
    mine, long = own.get("a").teaching, make_video("long.mp4", still)
    told = taught_files([letter, long], "juggle", mine, teacher, own)
    assert "letter.mp4 is not a video" in told and "long.mp4 is too long" in told
    assert not made


def test_clips_are_looked_at_before_it_is_their_turn(
    sessions: Sessions, teacher: Teacher, tmp_path: Path
) -> None:
    mine, limits = sessions.get("a").teaching, AppSettings().limits
    bad, good = tmp_path / "<b>.mp4", tmp_path / "good.npz"
    bad.write_text("Dear all")
    one().save(good)
    lesson = lesson_from_files([bad, bad], "juggle", mine, teacher, sessions)
    assert not lesson.told_at_once  # nobody has looked yet
    lesson.look(sessions.checks, limits)
    assert lesson.told_at_once.count("&lt;b&gt;.mp4 is not a video") == 2
    lesson = lesson_from_files([bad, good], "juggle", mine, teacher, sessions)
    lesson.look(sessions.checks, limits)
    assert not lesson.told_at_once
    lesson.start()
    assert lesson.wait(60)
    assert "is not a video" in lesson.told and "was learned" in lesson.told


def test_a_fault_while_learning_is_told() -> None:
    lesson = Lesson(lambda lesson: 1 / 0, threading.Event())
    lesson.start()
    assert lesson.wait(60) and "fault in this program" in lesson.told


_PARTS = ("now", "timer", "told", "question", "examples", "save", "cancel")


@pytest.fixture
def ui() -> SimpleNamespace:
    return SimpleNamespace(**{name: name for name in _PARTS})


def test_while_a_take_is_learned_from_it_is_said_and_then_what_came_of_it(
    session: Session, ui: SimpleNamespace
) -> None:
    mine, go_on = session.teaching, threading.Event()
    going = teach_busy.begin(ui, mine, "“<juggle>”", "Learning", lambda note: str(go_on.wait(60)))
    assert "Learning" in going["now"] and going["timer"].active and going["cancel"]["visible"]
    assert "sk-progress" in going["told"] and "Learning “&lt;juggle&gt;”" in going["told"]
    go_on.set()
    assert mine.take.wait(60)
    done = teach_busy.progress(ui, mine)
    assert done["now"] == "" and not done["timer"].active and "True" in done["told"]
    assert not done["cancel"]["visible"]
    assert mine.take is None and "now" not in teach_busy.progress(ui, mine)


def test_what_takes_long_says_how_far_it_is_and_can_be_given_up(
    session: Session, teacher: Teacher, ui: SimpleNamespace, monkeypatch, tmp_path: Path
) -> None:
    mine, path = session.teaching, tmp_path / "set.npz"
    actions = TaughtActions().add("juggle", one()).add("juggle", one()).add("hop", one())
    actions.save(path)
    looked, go_on = threading.Semaphore(0), threading.Semaphore(0)
    look = teacher.look

    def slow(example: Example, note: Callable[[], None]) -> object:
        note()
        looked.release()
        assert go_on.acquire(timeout=60)
        return look(example)

    monkeypatch.setattr(teacher, "look", slow)
    teach_busy.begin(
        ui, mine, path.name, "Learning from", lambda note: mine.load(teacher, path, note)
    )
    for done in range(2):
        assert looked.acquire(timeout=60)
        going = teach_busy.progress(ui, mine)
        assert f'aria-valuenow="{25 * done}"' in going["told"] and "set.npz" in going["told"]
        if done == 0:
            go_on.release()
    teach_busy.stop(mine)
    go_on.release()
    assert mine.take.wait(60)
    assert "Your examples are as they were." in teach_busy.progress(ui, mine)["told"]
    assert mine.actions.examples == () and mine.taught is None


def test_others_get_their_turn_within_an_example_and_it_can_be_stopped_there(
    engine: Engine, teacher: Teacher
) -> None:
    crowd = Example("juggle", scene([30.0 * i for i in range(20)], np.arange(100) / 25))
    turns: list[bool] = []

    def other() -> None:
        with engine.model():
            turns.append(True)

    def let_go() -> None:
        if len(turns) == 4:
            raise Cancelled("stopped on request")
        waiting = threading.Thread(target=other, daemon=True)
        waiting.start()
        waiting.join(60)

    with pytest.raises(Cancelled):
        teacher.look(crowd, let_go)
    assert len(turns) == 4 and not engine.waiting


def test_an_example_in_bits_is_seen_like_a_whole_one(
    teacher: Teacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = Example("juggle", scene([100, 300], np.arange(100) / 25))
    whole = teacher.look(example)
    monkeypatch.setattr("skeletr.taught_features._PIECE", 3)
    bits = teacher.look(example)
    assert len(whole.features) > 6
    assert np.allclose(whole.features, bits.features, atol=1e-5)
    assert np.allclose(whole.scores, bits.scores, atol=1e-5)


def test_one_after_the_other_is_learned_and_nothing_of_it_is_lost(
    session: Session, ui: SimpleNamespace
) -> None:
    mine, go_on = session.teaching, threading.Event()
    teach_busy.begin(ui, mine, "a", "Learning", lambda note: f"First {go_on.wait(60)}.")
    teach_busy.begin(ui, mine, "b", "Learning", lambda note: f"Second {go_on.is_set()}.")
    go_on.set()
    assert mine.take.wait(60)
    told = teach_busy.progress(ui, mine)["told"]
    assert told.index("First True.") < told.index("Second True.")


def test_a_question_that_is_given_up_is_asked_again(session: Session, teacher: Teacher) -> None:
    mine = session.teaching
    mine.offer(teacher, "juggle", two())

    def give_up(share: float) -> None:
        raise Cancelled("stopped on request")

    with pytest.raises(Cancelled):
        mine.pick(teacher, 1, give_up)
    assert mine.asked.people == (0, 1) and mine.actions.examples == ()


def test_nothing_is_learned_or_written_for_a_closed_page(
    sessions: Sessions, session: Session, teacher: Teacher, tmp_path: Path
) -> None:
    mine = session.teaching
    mine.offer(teacher, "juggle", one())
    assert mine.file().exists()
    mine.close()
    with pytest.raises(TeachError, match="closed"):
        mine.offer(teacher, "juggle", one())
    path = tmp_path / "late.npz"
    one().save(path)
    assert "late.npz was stopped" in taught_files([path], "juggle", mine, teacher, sessions)
    assert mine.file() is None and not list(sessions.vault.root.glob("visitor-*"))


def test_names_are_escaped(session: Session, teacher: Teacher) -> None:
    name = '<img src=x onerror="y">'
    session.teaching.offer(teacher, name, one())
    session.teaching.offer(teacher, name, two())
    shown = teach_view.examples(session.teaching) + teach_view.question(session.teaching.asked)
    assert "<img" not in shown and shown.count("&lt;img") >= 2


def test_live_goes_on_when_something_is_taught_or_set(engine: Engine, teacher: Teacher) -> None:
    FakePose.open = 0
    stream = LiveStream(engine, OPTIONS)
    image = np.full((120, 160, 3), 90, np.uint8)

    def play(begin: float, count: int) -> list:
        return [stream.step(image, False, now=begin + i / 10) for i in range(count)]

    before = play(0.0, 50)[-1]
    known = len(next(iter(before.actions.people.values())).scores)
    head = teacher.learn(
        actions := TaughtActions().add("juggle", one()), [teacher.look(actions.examples[0])]
    ).head
    stream.adapt(OPTIONS, head)
    after = play(5.0, 1)[0]
    person = after.actions.people[next(iter(before.actions.people))]  # the same number
    assert person.label and len(person.scores) == known + 1  # and a label without waiting
    assert after.actions.time == pytest.approx(5.0) and not after.note
    stream.adapt(replace(OPTIONS, threshold=1.0, max_people=2), head)
    sure = play(5.1, 1)[0]
    assert list(sure.actions.people) == list(before.actions.people) and FakePose.open == 1
    stream.close()


def test_a_visitors_labels_reach_camera_and_video(session: Session, teacher: Teacher) -> None:
    session.teaching.offer(teacher, "juggle", one())

    def labels() -> int:
        image = np.full((120, 160, 3), 90, np.uint8)
        with session.lock:
            for _ in range(60):
                labels.now += 0.1
                view = session.live(OPTIONS).step(image, False, now=labels.now)
        return len(next(iter(view.actions.people.values())).scores)

    labels.now = 0.0
    assert labels() == 3
    job = session.begin(one(), "mine", OPTIONS, files=False)
    assert job.wait(60) and job.outcome.result.log.labels[-1] == "juggle"
    assert job.outcome.taught is session.teaching.taught
    session.teaching.use = False
    assert labels() == 2
    job = session.begin(one(), "mine", OPTIONS, files=False)
    assert job.wait(60) and "juggle" not in job.outcome.result.log.labels
    session.close()
