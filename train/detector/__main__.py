"""Train the face detector; the same command again goes on after a kill.

    python -m train.detector --data ../shared/data --yunet face_detection_yunet_2026may.onnx

The bank of decoded and labelled pictures is made once (some minutes, 3 GB) in the run folder. One
process composes, one trains. `faces.safetensors` in the run folder is the average of the weights:

    python -m models.export_faces --weights runs/detector/faces.safetensors --output faces.onnx
"""

import argparse
import logging
from pathlib import Path

import cv2
import torch

from models.description import CheckpointError
from models.face_net import FaceNetConfig
from models.onnx_landmarker import load_onnx_landmarker
from models.weight_files import NAMED_WEIGHTS
from tracker.errors import FaceTrackError

from .detector_run import DetectorRecipe, DetectorRun
from .picture_bank import fill_bank


def main(argv: list[str] | None = None) -> None:
    """Parse flags and train."""
    parser = argparse.ArgumentParser(
        prog="python -m train.detector",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    recipe = DetectorRecipe()
    parser.add_argument("--data", type=Path, required=True, help="folder with the sources")
    parser.add_argument("--yunet", type=Path, metavar="F", help="labels what is unlabelled")
    parser.add_argument("--run-folder", type=Path, default=Path("runs/detector"))
    parser.add_argument("--bank", type=Path, help="(default: bank/ in the run folder)")
    parser.add_argument("--pictures", type=int, default=recipe.pictures, help="%(default)s")
    parser.add_argument("--start-from", type=Path, metavar="F", help="weights to begin with")
    parser.add_argument(
        "--learning-rate", type=float, default=recipe.learning_rate, help="greatest: %(default)s"
    )
    parser.add_argument(
        "--found-from",
        type=float,
        default=recipe.found_from,
        metavar="SCORE",
        help="threshold that the weights keep: %(default)s",
    )
    parser.add_argument("--workers", type=int, default=1, help="that compose: %(default)s")
    parser.add_argument("--threads", type=int, default=1, help="that train: %(default)s")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    bank = arguments.bank or arguments.run_folder / "bank"
    try:
        landmarker = load_onnx_landmarker(NAMED_WEIGHTS["lite"].with_suffix(".onnx"), threads=1)
        fill_bank(arguments.data, bank, arguments.yunet, landmarker)
        chosen = DetectorRecipe(
            pictures=arguments.pictures,
            learning_rate=arguments.learning_rate,
            found_from=arguments.found_from,
        )
        run = DetectorRun(arguments.run_folder, bank, chosen, FaceNetConfig())
        if arguments.start_from:
            run.start_from(arguments.start_from)
    except (FaceTrackError, CheckpointError) as error:
        parser.exit(2, f"error: {error}\n")
    run.train(arguments.workers)


if __name__ == "__main__":
    main()
