"""Points that walk at random, and are measured: a covariance P that grows by q I before R is added.

How far they walked, q, is what a filter with modes has to find out, so everything is a function of
it. Of symmetric 2x2 matrices |C + q I| = |C| + q (tr C + q), and the adjugate of C + q I is that of
C plus q I: what does not depend on q is calculated once.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .kalman import Symmetric, Updated, times

Landmarks = Float[np.ndarray, "*#batch"]
Offset = Float[np.ndarray, "xy=2 *#batch"]


class WalkingPoints:
    """Covariances of points before and after they are measured.

    Args:
        prior: P, before they walk.
        noise: R, of their measurement.
    """

    def __init__(self, prior: Symmetric, noise: Symmetric) -> None:
        entries = np.empty((3, *noise.shape))  # P, R and S = P + R
        entries[0], entries[1] = prior, noise
        np.add(prior, noise, out=entries[2])
        self._prior, self._noise, self._total = entries
        xx, xy, yy = entries.swapaxes(0, 1)
        self._trace = xx + yy
        self._determinant = xx * yy - xy * xy

    def precision(self, walked: Landmarks) -> Symmetric:
        """(S + q I)^-1, where they walked by the variance q."""
        precision = np.empty_like(self._total)
        np.add(self._total[::-2], walked, out=precision[::2])
        np.negative(self._total[1], out=precision[1])
        precision /= self._determinant[2] + walked * (self._trace[2] + walked)
        return precision

    def against(self, offset: Offset) -> "Innovation":
        """With their offsets from where they were."""
        offsets = np.empty((2, *offset.shape))
        offsets[1] = offset
        np.multiply(self._total[::-2], offset, out=offsets[0])
        offsets[0] -= self._total[1] * offset[::-1]
        return Innovation(self._prior, self._noise, self._trace, self._determinant, offsets)


class Innovation(NamedTuple):
    """The offsets of points from where they were, as a function of how far they walked."""

    prior: Symmetric
    noise: Symmetric
    trace: Float[np.ndarray, "kinds=3 *#batch"]
    """Of P, R and S."""
    determinant: Float[np.ndarray, "kinds=3 *#batch"]
    offsets: Float[np.ndarray, "kinds=2 xy=2 *#batch"]
    """Adjugate of S times y, and y itself."""

    def likelihood(self, walked: Landmarks) -> Float[np.ndarray, "terms=2 *#batch"]:
        """Squared Mahalanobis distances y^T (S + q I)^-1 y, and log |S + q I|."""
        determinant = self.determinant[2] + walked * (self.trace[2] + walked)
        products = self.offsets * self.offsets[1]
        of_total, squares = products[:, 0] + products[:, 1]
        terms = np.empty((2, *determinant.shape))
        np.multiply(walked, squares, out=terms[0])
        terms[0] += of_total
        terms[0] /= determinant
        np.log(determinant, out=terms[1])
        return terms

    def updated(self, walked: Landmarks) -> Updated:
        """The points after their measurement."""
        # x += P S^-1 y,  P = (|R| P + |P| R) / |S|, with q in P and in S
        determinant = self.determinant[::2] + walked * (self.trace[::2] + walked)
        prior = self.prior.copy()
        prior[::2] += walked
        weighed = (self.offsets[0] + walked * self.offsets[1]) / determinant[1]
        covariance = self.determinant[1] / determinant[1] * prior
        covariance += determinant[0] / determinant[1] * self.noise
        return Updated(times(prior, weighed), covariance)
