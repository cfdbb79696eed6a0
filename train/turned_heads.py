"""Annotated faces turned further in 3-D, for the turned heads that data sets of photographs lack.

MediaPipe's face mesh gives a picture depth: its vertices, two rings around the head and the border
of the picture are triangulated, the mesh and the rings rotate, the border stays, and every triangle
carries its part of the picture along, near ones before far ones. Landmarks get their depth from the
mesh. On the far side of the jaw annotators follow the visible contour, so those landmarks move to
the silhouette of the turned mesh.

    python -m train.turned_heads --data 300w --output runs/queue/labels/turned.npz

`train.fit --further` reads what it writes; the pictures lie in a folder beside it.

Source:
    Zhu et al., Face Alignment Across Large Poses, CVPR 2016: face profiling.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, Int, UInt8
from rich.console import Console
from rich.progress import track
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
from scipy.spatial import Delaunay

from tracker.errors import FaceTrackError
from tracker.layouts import IBUG_68

from .datasets import DataError, Sample, hold_out, read_300w, write_pseudo_labels
from .hard_faces import nose_offset
from .mesh_teacher import FaceMesh
from .synthetic.deform import sampled

_SURFACE = 468
"""Vertices of the face's surface; those of the irises come after them."""
_TURN_DEG = (15.0, 50.0)
_NOD_DEG = 12.0
"""Largest change of pitch."""
_SOURCE_OFFSET = 0.2
"""Faces whose `nose_offset` is larger are already turned: much of their surface is hidden."""
_RINGS = ((1.25, 0.3), (1.6, 0.8))
"""Size of each ring over the mesh's outline, and its depth behind it in eye distances."""
_BORDER_POINTS = 6
"""On each side of the picture."""
_SAME_HEIGHT = 0.06
"""Vertices this near in height, in heights of the face, share a point of the silhouette."""
_LARGEST_SIDE_PX = 256
"""Pictures are reduced to this before they are turned: more than the network sees."""
_CERTAINTY = 0.7

Points3 = Float[np.ndarray, "points xyz=3"]
Points2 = Float[np.ndarray, "points xy=2"]
Picture = UInt8[np.ndarray, "height width rgb=3"]


@dataclass(frozen=True, slots=True)
class HeadTurn:
    """A rotation of the head, added to the one that it has."""

    yaw_deg: float
    """Positive: to the right of the picture."""
    pitch_deg: float
    """Positive: down."""

    def apply(self, points: Points3, center: Float[np.ndarray, "xyz=3"], roll: float) -> Points3:
        """Rotate about `center` and the axes of a head with this roll in radians.

        Args:
            points: Pixels; x right, y down, z away from the camera.
            center: The same.
            roll: Of the line through the eyes, from x towards y.
        """
        yaw, pitch = np.radians([self.yaw_deg, self.pitch_deg])
        turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
        nod = np.array(
            [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
        )
        upright = np.array(
            [[np.cos(roll), np.sin(roll), 0], [-np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
        )
        return (points - center) @ (upright.T @ turn @ nod @ upright).T + center


def turn_head(
    picture: Picture, points: Points2, mesh: Points3, turn: HeadTurn
) -> tuple[Picture, Points2]:
    """Render the head turned, and where its 68 landmarks are then.

    Args:
        picture: With a face that is not much turned.
        points: Its 68 landmarks, in pixels.
        mesh: Its face mesh, in pixels; z away from the camera.
        turn: What is added.

    Returns:
        A picture of the same size, and the landmarks in its pixels; they may lie outside it.
    """
    surface = mesh[:_SURFACE].astype(np.float64)
    eyes = points[45] - points[36]
    roll, eye_px = float(np.arctan2(eyes[1], eyes[0])), float(np.linalg.norm(eyes))
    outline = surface[cv2.convexHull(surface[:, :2].astype(np.float32), returnPoints=False)[:, 0]]
    center = np.array([*surface[:, :2].mean(0), outline[:, 2].mean()])
    rings = [center + (outline - center) * [size, size, 1] + [0, 0, back * eye_px]
             for size, back in _RINGS]  # fmt: skip
    height, width = picture.shape[:2]
    border = _border(height, width)
    around = [ring[_inside(ring, height, width)] for ring in rings]
    moving = np.concatenate([surface, *around])
    source = np.concatenate([moving[:, :2], border])
    turned = turn.apply(moving, center, roll)
    target = np.concatenate([turned[:, :2], border])
    depth = np.concatenate([turned[:, 2], np.full(len(border), np.inf)])
    rendered = _warp(picture, source, target, depth)
    depths = _depth_at(surface, points)
    landmarks = turn.apply(np.column_stack([points, depths]), center, roll)[:, :2]
    on_contour = _follow_silhouette(landmarks, turned[:_SURFACE, :2], turn.yaw_deg, roll)
    return rendered, on_contour.astype(np.float32)


def _border(height: int, width: int) -> Points2:
    share = np.linspace(0, 1, _BORDER_POINTS)[:-1]
    right, bottom = width - 1.0, height - 1.0
    zero, one = np.zeros_like(share), np.ones_like(share)
    sides = [(share, zero), (one, share), (1 - share, one), (zero, 1 - share)]
    return np.concatenate([np.column_stack([x * right, y * bottom]) for x, y in sides])


def _inside(points: Points3, height: int, width: int) -> np.ndarray:
    xy = points[:, :2]
    return np.asarray(((xy > 1) & (xy < np.array([width, height]) - 2)).all(-1))


def _warp(
    picture: Picture, source: Points2, target: Points2, depth: Float[np.ndarray, " points"]
) -> Picture:
    """Carry every triangle of the source to its target; near triangles hide far ones."""
    triangles: Int[np.ndarray, "triangles corners=3"] = Delaunay(source).simplices
    order = np.argsort(-depth[triangles].mean(1), kind="stable")
    number = np.zeros(picture.shape[:2], np.int32)
    corners = np.round(target[triangles] * 16).astype(np.int32)
    for index in order:
        cv2.fillConvexPoly(number, corners[index], (int(index),), cv2.LINE_8, 4)
    source_from_target = _affine(target[triangles], source[triangles])[number]
    rows, columns = np.indices(number.shape, dtype=np.float64)
    pixels = np.stack([columns, rows, np.ones_like(rows)], -1)
    places = np.einsum("hwij,hwj->hwi", source_from_target, pixels).astype(np.float32)
    return sampled(picture, places)


def _affine(
    source: Float[np.ndarray, "triangles corners=3 xy=2"],
    target: Float[np.ndarray, "triangles corners=3 xy=2"],
) -> Float[np.ndarray, "triangles xy=2 xy1=3"]:
    """The affine map of each triangle; of one without area, the identity."""
    ones = np.ones((*source.shape[:2], 1))
    corners = np.concatenate([source, ones], -1)
    flat = np.abs(np.linalg.det(corners)) < 1e-6
    corners[flat], target = np.eye(3), np.where(flat[:, None, None], 0.0, target)
    found: np.ndarray = np.linalg.solve(corners, target).transpose(0, 2, 1)
    return found


def _depth_at(surface: Points3, points: Points2) -> Float[np.ndarray, " points"]:
    depth = LinearNDInterpolator(surface[:, :2], surface[:, 2])(points)
    nearest = NearestNDInterpolator(surface[:, :2], surface[:, 2])(points)
    return np.where(np.isfinite(depth), depth, nearest)


def _follow_silhouette(points: Points2, surface: Points2, yaw_deg: float, roll: float) -> Points2:
    """Move the jaw on the side that turns away onto the outline of the turned mesh."""
    upright = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    jaw, seen = points @ upright, surface @ upright
    side = 1 if yaw_deg > 0 else -1
    far = range(9, 17) if side > 0 else range(8)
    height = np.ptp(seen[:, 1])
    for index in far:
        near = np.abs(seen[:, 1] - jaw[index, 1]) < _SAME_HEIGHT * height
        if near.any():
            jaw[index, 0] = side * max(side * jaw[index, 0], (side * seen[near, 0]).max())
    return jaw @ upright.T


def random_turn(points: Points2, rng: np.random.Generator) -> HeadTurn:
    """A turn to the side to which the head is turned already."""
    right, left = points[36:42].mean(0), points[42:48].mean(0)
    along = left - right
    share = float((points[30] - right) @ along / max(float(along @ along), 1e-9)) - 0.5
    side = np.sign(share) if abs(share) > 0.03 else rng.choice([-1, 1])
    return HeadTurn(float(side * rng.uniform(*_TURN_DEG)), float(rng.uniform(-_NOD_DEG, _NOD_DEG)))


def turn_faces(
    samples: list[Sample], mesh_of: FaceMesh, folder: Path, seed: int = 0
) -> list[Sample]:
    """Turn every face that is seen from the front; write the pictures, return their annotations.

    Args:
        samples: Annotated with 68 landmarks.
        mesh_of: Finds their meshes.
        folder: For the pictures.
        seed: Of the turns.

    Raises:
        DataError: If a picture cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    turned = []
    for number, sample in enumerate(track(samples, "turned heads")):
        if nose_offset(sample.points[None])[0] > _SOURCE_OFFSET:
            continue
        picture, scale = _reduced(sample.read_image())
        points = (sample.points + 0.5) * scale - 0.5
        mesh = mesh_of(picture)
        if mesh is None or np.linalg.norm(mesh[:_SURFACE, :2].mean(0) - points.mean(0)) > (
            0.25 * np.ptp(points[:, 0])
        ):
            continue
        turn = random_turn(points, np.random.default_rng((seed, number)))
        rendered, landmarks = turn_head(picture, points, mesh, turn)
        path = folder / f"{number:05d}.jpg"
        cv2.imwrite(str(path), cv2.cvtColor(rendered, cv2.COLOR_RGB2BGR))
        turned.append(
            replace(
                sample,
                image_path=path,
                points=landmarks,
                certainty=np.full(IBUG_68.count, _CERTAINTY),
                first_pixel=sample.first_pixel * scale,
                photograph="",
            )
        )
    return turned


def _reduced(picture: Picture) -> tuple[Picture, float]:
    scale = min(_LARGEST_SIDE_PX / max(picture.shape[:2]), 1.0)
    if scale == 1.0:
        return picture, scale
    size = tuple(round(length * scale) for length in picture.shape[1::-1])
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA), scale


def turn_data_set(data: Path, output: Path, mesh: Path | None = None) -> None:
    """Turn the faces of 300W's training part; its held-out part stays as it is.

    Args:
        data: Folder of 300W.
        output: The .npz to write; its pictures come to the folder of the same name beside it.
        mesh: `face_landmarker.task`; None: the mesh that mediapipe ships.

    Raises:
        DataError: If the data set is not there or no face is found.
    """
    training, _ = hold_out(read_300w(data))
    turned = turn_faces(training, FaceMesh(mesh), output.with_suffix(""))
    if not turned:
        raise DataError(f"{data}: no frontal face is found")
    write_pseudo_labels(output, turned)
    Console().print(f"{output}: {len(turned)} of {len(training)} faces", highlight=False)


def main() -> None:
    """Parse flags and turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of 300W")
    parser.add_argument("--output", type=Path, required=True, help="the .npz to write")
    parser.add_argument("--mesh", type=Path, help="face_landmarker.task, in place of Face Mesh")
    arguments = parser.parse_args()
    try:
        turn_data_set(arguments.data, arguments.output, arguments.mesh)
    except FaceTrackError as error:
        parser.exit(2, f"error: {error}\n")


if __name__ == "__main__":
    main()
