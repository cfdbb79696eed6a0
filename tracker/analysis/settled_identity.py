"""What is known of a person's shape: it settles within seconds, from past frames alone.

The landmarks of one face err alike from frame to frame, so a frame is not new evidence: a second of
them counts as one.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .head_fit import POSE, HeadFit, ShapePrior
from .linear_face import LinearFace

_INDEPENDENT_AFTER_S = 1.0
_REMEMBERED_S = 30.0
"""Evidence fades: a slow change of the network's bias, with light or pose, is followed."""


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """A Gaussian of the identity's coefficients."""

    mean: Float[np.ndarray, " identities"]
    evidence: Float[np.ndarray, "identities identities"]
    """Precision beyond that of people in general."""


def unknown_identity(face: LinearFace) -> Identity:
    """People in general."""
    count = face.identity.shape[-1]
    return Identity(np.zeros(count), np.zeros((count, count)))


def shape_prior(face: LinearFace, identity: Identity) -> ShapePrior:
    """Of expression and identity, before the next frame."""
    expressions, count = len(face.names), len(identity.mean)
    precision = np.zeros((expressions + count, expressions + count))
    precision[range(expressions), range(expressions)] = face.prior_deviation**-2
    precision[expressions:, expressions:] = np.eye(count) + identity.evidence
    return ShapePrior(np.concatenate([np.zeros(expressions), identity.mean]), precision)


def settled(
    face: LinearFace, identity: Identity, fit: HeadFit, prior: ShapePrior, since_s: float | None
) -> Identity:
    """The identity after a frame.

    Args:
        face: That was fitted.
        identity: Before the frame.
        fit: Of the frame.
        prior: That the fit used.
        since_s: Seconds since the frame before; None of the first.
    """
    first = POSE + len(face.names)  # identity comes last
    share = 1.0 if since_s is None else min(since_s / _INDEPENDENT_AFTER_S, 1.0)
    if not share:
        return identity
    known = np.eye(len(identity.mean)) + identity.evidence
    # the marginal of the identity, with the prior taken out again, is what this frame adds
    added = (
        np.linalg.inv(fit.covariance[first:, first:])
        - prior.precision[len(face.names) :, len(face.names) :]
    )
    pull = (known + added) @ (fit.shape[len(face.names) :] - identity.mean)
    kept = np.exp(-(since_s or 0.0) / _REMEMBERED_S)
    evidence = kept * identity.evidence + share * (added + added.T) / 2
    step = np.linalg.solve(np.eye(len(identity.mean)) + evidence, share * pull)
    return Identity(identity.mean + step, evidence)
