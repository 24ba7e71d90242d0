"""Optics groups: acquisitions taken at the same beam shift, which see the same aberrations (AFIS, multi-shot)."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

GAP = 3.0
"""Groups are told apart where distances between neighbours jump by at least this factor."""
NOISE = 1e-6
"""Beam shifts closer than this part of their whole extent are the same."""
LEARNED = 3000
"""Places the spacing is learned from; of more, so many are taken evenly, and the others join the nearest."""


def group_by_beam_shift(shifts: NDArray[np.float64]) -> NDArray[np.int64]:
    """Number of each acquisition's optics group, from 1 in the order in which the groups first appear.

    Single linkage: neighbours within a group are near, groups are far apart, and the shortest spanning tree of all
    places has edges of both kinds; it is cut where their lengths first jump by ``GAP`` among the longer half (a group
    has two members on average at least). Where nothing jumps, there is one group. Numbers depend on the places and
    their order alone, and adding places to groups that are told apart changes no number.

    Parameters
    ----------
    shifts : (n, 2), in any unit; rows with NaN (not said) form the group that comes with the first of them.

    Returns
    -------
    (n,) numbers.
    """
    labels = np.full(len(shifts), -1, dtype=np.int64)
    known = np.isfinite(shifts).all(axis=1)
    places = shifts[known]
    extent = float(np.ptp(places, axis=0).max()) if len(places) else 0.0
    if extent > 0:
        unique, back = np.unique(np.round(places / (extent * NOISE)).astype(np.int64), axis=0, return_inverse=True)
        labels[known] = _clusters(unique.astype(np.float64) * NOISE, np.bincount(back.ravel()))[back.ravel()]
    else:
        labels[known] = 0
    _, first, back = np.unique(labels, return_index=True, return_inverse=True)
    order = np.empty(len(first), dtype=np.int64)
    order[np.argsort(first)] = np.arange(1, len(first) + 1)
    return np.asarray(order[back.ravel()])


def _clusters(places: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cluster of each distinct place, of which ``counts`` acquisitions have each."""
    picked = np.unique(np.linspace(0, len(places) - 1, min(len(places), LEARNED)).astype(np.int64))
    some = places[picked]
    parents, lengths = _spanning_tree(some)
    # acquisitions at the same place are joined by edges without length
    lengths_of_all = np.concatenate([np.zeros(int(counts[picked].sum()) - len(some)), np.sort(lengths[1:])])
    limit = _limit(lengths_of_all)
    labels = np.arange(len(some))
    for place in np.argsort(_depth(parents)):
        if place != parents[place] and lengths[place] < limit:
            labels[place] = labels[parents[place]]
    if len(picked) == len(places):
        return labels
    _, nearest = cKDTree(some).query(places)
    return np.asarray(labels[nearest])


def _limit(lengths: NDArray[np.float64]) -> float:
    """Length from which edges lie between groups, of edges in order of length; infinite: there is one group."""
    half = (len(lengths) + 1) // 2
    before = np.maximum(lengths[half - 1 : -1] if half else lengths[:0], NOISE * 100)
    after = lengths[half:]
    jumps = np.flatnonzero(after >= GAP * before[: len(after)])
    return float(after[jumps[0]]) if jumps.size else float("inf")


def _spanning_tree(places: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Parent of each place in the shortest tree (Prim 1957), the first being its own, and the distance to it."""
    count = len(places)
    parents = np.zeros(count, dtype=np.int64)
    distance = np.hypot(*(places - places[0]).T)
    outside = np.ones(count, dtype=bool)
    outside[0] = False
    lengths = np.zeros(count)
    for _ in range(count - 1):
        nearest = int(np.argmin(np.where(outside, distance, np.inf)))
        outside[nearest] = False
        lengths[nearest] = distance[nearest]
        reach = np.hypot(*(places - places[nearest]).T)
        closer = outside & (reach < distance)
        distance[closer] = reach[closer]
        parents[closer] = nearest
    return parents, lengths


def _depth(parents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Steps from each place to the root of the tree, by doubling."""
    depth = (parents != np.arange(len(parents))).astype(np.int64)
    above = parents
    while depth[above].any():
        depth = depth + depth[above]
        above = above[above]
    return np.asarray(depth)
