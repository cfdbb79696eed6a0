"""Linear discriminant analysis: what tells people from each other."""

import numpy as np
import torch
from jaxtyping import Float

_WITHIN = 0.5
"""Added to the variance within a person, in standard deviations of all faces squared."""


def discriminants(
    seen: Float[np.ndarray, "faces features"], people: np.ndarray, count: int
) -> Float[np.ndarray, "features count"]:
    """Directions in which people differ most, measured by how far pictures of one person differ.

    Args:
        seen: Standardised.
        people: Whose face each is.
        count: How many directions.

    Source:
        Linear discriminant analysis (Fisher 1936; Rao 1948), the variance within regularised; each
        direction is weighed by the share of its variance that lies between people.
    """
    names, number = np.unique(people, return_inverse=True)
    faces = np.bincount(number)
    means = np.zeros((len(names), seen.shape[1]))
    np.add.at(means, number, seen)
    means /= faces[:, None]
    rest = seen - means[number]
    within = torch.from_numpy(rest.T @ rest / len(seen)).double()
    apart = torch.from_numpy((means - means.mean(0)) * np.sqrt(faces / len(seen))[:, None]).double()
    whiten = torch.linalg.inv(torch.linalg.cholesky(within + _WITHIN * torch.eye(len(within))))
    spread = apart @ whiten.T
    values, vectors = torch.linalg.eigh(spread.T @ spread)
    ratio = values[-count:].clamp_min(0)
    directions: np.ndarray = (whiten.T @ vectors[:, -count:] * (ratio / (1 + ratio)).sqrt()).numpy()
    return directions.astype(np.float32)
