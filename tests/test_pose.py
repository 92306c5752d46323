"""The pose frontends: the real model on a real photograph, and rtmlib with a stand-in."""

import subprocess
import sys
from itertools import islice

import cv2
import numpy as np
import pytest
from skimage import data

from skeletr.pose import PoseError, create_frontend
from skeletr.pose.geometry import Region, region_around, region_to_image, transform
from skeletr.pose.mediapipe_pose import MediaPipePose, MediaPipePoseConfig
from skeletr.pose.models import pose_model
from skeletr.pose.rtmlib_pose import RtmlibPose, RtmlibPoseConfig
from skeletr.pose.tiles import SearchRota, fine_tiles, search_tiles
from skeletr.skeleton import COCO_INDEX, V
from skeletr.tracking import Tracker
from skeletr.video import VideoReader

# Where they are in the photograph, 512 x 512, by eye.
ASTRONAUT = {"nose": (223, 127), "left_shoulder": (303, 245), "right_shoulder": (115, 240)}


@pytest.fixture(scope="module")
def model():
    try:
        return str(pose_model())
    except PoseError as error:
        pytest.skip(f"no pose model: {error}")


@pytest.fixture(scope="module", params=["litert", "tasks"])
def pose(request, model):
    """One frontend for all tests of a runner: making one takes long."""
    if request.param == "litert":
        pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    config = MediaPipePoseConfig(runner=request.param, model_path=model, max_people=4)
    with MediaPipePose(config) as frontend:
        yield frontend


@pytest.fixture(autouse=True)
def fresh(request):
    if "pose" in request.fixturenames:
        request.getfixturevalue("pose").reset()


@pytest.fixture(scope="module")
def photo():
    return data.astronaut()


def canvas(photo, width, height, x, y):
    """The photograph somewhere on a wall."""
    image = np.full((height, width, 3), 200, dtype=np.uint8)
    h, w = min(photo.shape[0], height - y), min(photo.shape[1], width - x)
    image[y : y + h, x : x + w] = photo[:h, :w]
    return image


def check_astronaut(person, scale=1.0, x=0, y=0, tolerance=25):
    for name, truth in ASTRONAUT.items():
        found = person.keypoints[COCO_INDEX[name]]
        assert found[2] > 0.5, name
        assert np.hypot(*(found[:2] - np.multiply(truth, scale) - [x, y])) < tolerance * scale, name


def test_the_photograph_has_one_person(pose, photo):
    (person,) = pose.estimate(photo, 0.0)
    assert person.keypoints.shape == (V, 3) and person.keypoints.dtype == np.float32
    check_astronaut(person)


def test_joints_outside_the_picture_are_not_seen(pose, photo):
    for i in range(3):
        (person,) = pose.estimate(photo, i / 10)
        x, y, score = person.keypoints.T
        assert ((score >= 0) & (score <= 1)).all()
        assert (x[score > 0] < 512).all() and (y[score > 0] < 512).all()
        ankles = [COCO_INDEX["left_ankle"], COCO_INDEX["right_ankle"]]
        assert (score[ankles] < 0.3).all(), "the photograph ends at the hips"
        assert person.box[0] >= 0 and person.box[3] <= 512


@pytest.mark.parametrize("size", [(64, 64), (100, 100), (333, 517), (1, 1), (7, 300), (640, 480)])
def test_empty_pictures_of_any_size(pose, size):
    grey = np.full((size[1], size[0], 3), 128, dtype=np.uint8)
    noise = np.random.default_rng(0).integers(0, 255, grey.shape, dtype=np.uint8)
    assert pose.estimate(grey, 0.0) == ()
    assert pose.estimate(noise, 0.1) == ()


@pytest.mark.parametrize(
    ("width", "height", "scale"), [(301, 512, 1.0), (1301, 512, 1.0), (4801, 2560, 5.0)]
)
def test_unusual_sizes(pose, photo, width, height, scale):
    big = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    (person,) = pose.estimate(canvas(big, width, height, 0, 0), 0.0)
    check_astronaut(person, scale, tolerance=75)  # shoulders in a wide helmet ring


def test_a_tiny_picture(pose, photo):
    small = cv2.resize(photo, (100, 100), interpolation=cv2.INTER_AREA)
    (person,) = pose.estimate(small, 0.0)
    check_astronaut(person, 100 / 512, tolerance=70)


def test_two_people_side_by_side_and_one_who_leaves(pose, photo):
    both = np.concatenate([photo, photo[:, ::-1]], axis=1)
    people = pose.estimate(both, 0.0)
    noses = sorted(float(p.keypoints[0, 0]) for p in people)
    assert noses == pytest.approx([223, 1023 - 223], abs=30)
    alone = both.copy()
    alone[:, 512:] = 128
    for i in range(1, 4):
        (person,) = pose.estimate(alone, i / 10)
    assert person.keypoints[0, 0] == pytest.approx(223, abs=30)


def test_a_newcomer_is_found(pose, photo):
    wall = np.full((512, 1024, 3), 200, dtype=np.uint8)
    assert pose.estimate(wall, 0.0) == ()
    people = ()
    for i in range(1, 14):
        people = pose.estimate(canvas(photo, 1024, 512, 400, 0), i / 10)
    assert len(people) == 1
    check_astronaut(people[0], x=400, tolerance=35)


def test_reset_forgets_people_and_time(pose, photo):
    assert len(pose.estimate(photo, 100.0)) == 1
    pose.reset()
    assert pose.estimate(np.zeros_like(photo), 0.0) == ()


def test_max_people(model, photo):
    three = np.concatenate([photo] * 3, axis=1)
    with MediaPipePose(MediaPipePoseConfig(max_people=2, model_path=model)) as pose:
        assert len(pose.estimate(three, 0.0)) == 2


@pytest.mark.parametrize(
    "image", [np.zeros((10, 10), np.uint8), np.zeros((10, 10, 4), np.uint8), np.zeros((9, 9, 3))]
)
def test_wrong_images_are_refused(pose, image):
    with pytest.raises(PoseError, match="expected"):
        pose.estimate(image, 0.0)


def test_closing_twice_and_using_after(model, photo):
    pose = MediaPipePose(MediaPipePoseConfig(model_path=model))
    pose.close()
    pose.close()
    with pytest.raises(PoseError, match="closed"):
        pose.estimate(photo, 0.0)


@pytest.mark.parametrize("runner", ["litert", "tasks"])
def test_a_frontend_left_open_does_not_disturb_the_end_of_the_program(model, runner):
    script = (
        "import numpy as np\n"
        "from skeletr.pose.mediapipe_pose import MediaPipePose, MediaPipePoseConfig\n"
        f"pose = MediaPipePose(MediaPipePoseConfig(runner={runner!r}, model_path={model!r}))\n"
        "pose.estimate(np.zeros((64, 64, 3), np.uint8), 0.0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize(
    "wrong",
    [{"max_people": 0}, {"variant": "huge"}, {"runner": "gpu"}, {"min_new": 0}, {"min_size": 1}],
)
def test_config_is_checked(wrong):
    with pytest.raises(ValueError):
        MediaPipePoseConfig(**wrong)


def test_factory(model):
    frontend = create_frontend("mediapipe", max_people=2)
    frontend.close()
    with pytest.raises(PoseError, match="rtmlib"):
        create_frontend("openpose")


def test_a_real_clip_with_three_people(model, videos):
    tracker, places = Tracker(), set()
    with MediaPipePose(MediaPipePoseConfig(model_path=model)) as pose:
        for i, frame in enumerate(VideoReader(videos / "exercise_three_people.avi")):
            people = tracker.update(pose.estimate(frame.image, frame.time), frame.time)
            if i >= 5:
                places.add(tuple(p.id for p in sorted(people, key=lambda p: p.box[0])))
            if i == 40:
                break
    assert len(places) == 1 and len(places.pop()) == 3


# Geometry and search


def test_region_maps_its_centre_and_its_top():
    region = region_around(np.array([100.0, 80.0]), np.array([140.0, 80.0]))
    to_image = region_to_image(region, 256)
    np.testing.assert_allclose(transform(to_image, np.array([[128.0, 128.0]]))[0], [100, 80])
    top = transform(to_image, np.array([[128.0, 0.0]]))[0]
    np.testing.assert_allclose(top, [150, 80], atol=1e-6)
    upright = region_to_image(Region(50, 60, 100), 100)
    np.testing.assert_allclose(upright, [[1, 0, 0], [0, 1, 10]], atol=1e-9)


@pytest.mark.parametrize("size", [(640, 480), (405, 720), (100, 100), (5000, 300), (1, 1)])
def test_squares_cover_the_picture(size):
    tiles = search_tiles(*size)
    assert 1 <= len(tiles) <= 40
    covered = np.zeros((size[1], size[0]), dtype=bool)
    for tile in tiles[1:] or tiles:
        x, y = max(round(tile.x), 0), max(round(tile.y), 0)
        covered[y : round(tile.y + tile.size), x : round(tile.x + tile.size)] = True
    assert covered.mean() > 0.99 or size == (5000, 300)


@pytest.mark.parametrize("fps", [5, 15, 60])
def test_search_is_spread_evenly(fps):
    rota, total = SearchRota(), len(search_tiles(640, 480))
    assert len(rota.take(640, 480, 0.0, 1.0)) == total, "all at once in the first frame"
    counts = [len(rota.take(640, 480, i / fps, 1.0, [300.0])) for i in range(1, 2 * fps + 1)]
    assert sum(counts) == pytest.approx(2 * total, abs=1)
    assert max(counts) <= total / fps + 1


def searched(known, seconds):
    """Squares that are searched in so many seconds after the first frame."""
    rota = SearchRota()
    rota.take(640, 480, 0.0, 1.0, known)
    return {
        tile
        for i in range(round(15 * seconds))
        for tile in rota.take(640, 480, (i + 1) / 15, 1.0, known)
    }


@pytest.mark.parametrize(
    ("known", "side", "seconds"),
    [
        ([300.0], None, 4),
        ([190.0] * 5, 0.4, 2.5),
        ([140.0] * 5, 0.27, 2.5),
        ([140.0], 0.27, 5),
        ([], 0.4, 5),
    ],
)
def test_where_people_are_small_others_are_looked_for_closely(known, side, seconds):
    fine = searched(known, seconds) - set(search_tiles(640, 480))
    assert fine == (set() if side is None else set(fine_tiles(640, 480, side)))


def test_one_large_person_does_not_hide_that_people_are_small():
    assert searched([450.0, *[140.0] * 4], 3) > set(fine_tiles(640, 480, 0.27))


def test_a_crowd_is_found(model, videos):
    """Four times three women, each a third of the picture tall."""
    clip = [frame.image for frame in islice(VideoReader(videos / "exercise_three_people.avi"), 90)]
    tracker = Tracker()
    with MediaPipePose(MediaPipePoseConfig(model_path=model, max_people=16)) as pose:
        for i in range(25):
            a, b, c, d = (clip[i + 20 * k] for k in range(4))
            image = np.vstack([np.hstack([a, b[:, ::-1]]), np.hstack([c[:, ::-1], d])])
            people = tracker.update(pose.estimate(image, i / 10), i / 10)
    assert len(people) >= 11


# rtmlib


def stand_in(keypoints, scores):
    seen = []

    def estimator(image):
        seen.append(image)
        return keypoints, scores

    return estimator, seen


def test_rtmlib_people_with_bgr_pictures():
    keypoints = np.random.default_rng(0).uniform(0, 90, (3, V, 2))
    keypoints[0, 16] = [-5, 20]
    scores = np.full((3, V), 0.9)
    scores[1], scores[2] = 0.1, 7.0
    estimator, seen = stand_in(keypoints, scores)
    image = np.zeros((100, 100, 3), np.uint8)
    image[..., 0] = 255
    people = RtmlibPose(estimator=estimator).estimate(image, 0.0)
    assert seen[0][0, 0].tolist() == [0, 0, 255]
    assert len(people) == 2, "the unsure one is no person"
    assert people[0].keypoints[:, 2].max() == 1.0
    assert people[1].keypoints[16].tolist()[2] == 0.0, "outside the picture"
    np.testing.assert_allclose(people[0].keypoints[:, :2], keypoints[2], rtol=1e-5)


def test_rtmlib_nobody_too_many_and_other_layouts():
    estimator, _ = stand_in(np.zeros((0, V, 2)), np.zeros((0, V)))
    image = np.zeros((50, 50, 3), np.uint8)
    assert RtmlibPose(estimator=estimator).estimate(image, 0.0) == ()
    estimator, _ = stand_in(np.ones((5, V, 2)), np.ones((5, V)))
    assert len(RtmlibPose(RtmlibPoseConfig(max_people=2), estimator).estimate(image, 0.0)) == 2
    estimator, _ = stand_in(np.ones((1, 133, 2)), np.ones((1, 133)))
    with pytest.raises(PoseError, match="COCO-17"):
        RtmlibPose(estimator=estimator).estimate(image, 0.0)


def test_rtmlib_missing_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "rtmlib", None)
    with pytest.raises(PoseError, match="requirements-rtmlib"):
        create_frontend("rtmlib")


def test_rtmlib_closed():
    estimator, _ = stand_in(np.zeros((0, V, 2)), np.zeros((0, V)))
    pose = RtmlibPose(estimator=estimator)
    pose.reset()
    pose.close()
    pose.close()
    with pytest.raises(PoseError, match="closed"):
        pose.estimate(np.zeros((5, 5, 3), np.uint8), 0.0)
