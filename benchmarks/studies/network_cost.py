"""What a network of a recipe costs: parameters, operations and the time for one face."""

import statistics
import time
from collections.abc import Mapping

import onnxruntime

from models.crop_reader import CropReader
from models.description import CheckpointInfo
from models.export import as_onnx, check_crops
from models.landmark_net import LandmarkNet
from models.onnx_landmarker import INPUT, session_options
from tracker.layouts import Layout
from train.recipes import Recipe
from train.training_run import architecture_of

from ..harness import Json
from ..latency.peak_arithmetic import flop_of


def describe_network(recipe: Recipe, layout: Layout) -> Json:
    """Its shape, its parameters and its multiply-accumulate operations for one face."""
    network, info = untrained(recipe, layout)
    return {
        "stacks": recipe.stacks,
        "width": recipe.width,
        "stem": recipe.stem_width,
        "depth": recipe.depth,
        "block": recipe.block,
        "input_px": recipe.input_px,
        "map": recipe.input_px // network.config.stride,
        "parameters": sum(p.numel() for p in network.parameters()),
        "mega_mac": round(flop_of(network, info) / 2e6, 1),
    }


def untrained(recipe: Recipe, layout: Layout) -> tuple[LandmarkNet, CheckpointInfo]:
    """A network of a recipe's shape, and its description."""
    network = LandmarkNet(architecture_of(recipe, layout)).eval()
    info = CheckpointInfo(
        architecture=network.config,
        layout=layout.name,
        input_px=recipe.input_px,
        margin=recipe.margin,
    )
    return network, info


def times_ms(recipes: Mapping[str, Recipe], layout: Layout, rounds: int) -> dict[str, float]:
    """Median time of one face through every network; it does not depend on the weights."""
    sessions = {}
    for name, recipe in recipes.items():
        network, info = untrained(recipe, layout)
        session = onnxruntime.InferenceSession(
            as_onnx(CropReader(network, info), info, ""),
            session_options(),
            providers=["CPUExecutionProvider"],
        )
        sessions[name] = session, {INPUT: check_crops(info.input_px, 1)}
    taken: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(rounds):
        for name, (session, crops) in sessions.items():
            session.run(None, crops)  # finds the caches full of another network
            started = time.perf_counter()
            session.run(None, crops)
            taken[name].append(time.perf_counter() - started)
    return {name: round(1e3 * statistics.median(each), 2) for name, each in taken.items()}
