"""Relative ice thickness: what a run's images lose of the beam."""

import numpy as np
import pytest

from athena.domain.ice import relative_thickness

pytestmark = pytest.mark.feature("BY-03")


def test_thickness_is_what_the_simulator_let_through() -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.05, 0.2, 300)
    truth[[7, 90, 200, 250]] = 0.0  # empty holes
    found = relative_thickness(0.8 * np.exp(-truth), np.full(300, 0.8), np.full(300, 1.25))
    np.testing.assert_allclose(found, truth, atol=1e-9)


def test_without_an_empty_hole_the_thinnest_is_the_measure() -> None:
    truth = np.linspace(0.1, 0.3, 101)
    found = relative_thickness(np.exp(-truth), np.ones(101), np.ones(101))
    np.testing.assert_allclose(found, truth - truth[1], atol=1e-9)


def test_exposures_of_other_dose_or_pixel_are_compared_among_themselves() -> None:
    truth = np.tile([0.0, 0.1, 0.2], 20)
    dose = np.repeat([1.0, 1.5], 30)
    pixel = np.where(np.arange(60) < 58, 0.8, 1.6)  # two at another magnification: too few to tell
    found = relative_thickness(dose * pixel**2 * np.exp(-truth), pixel, dose)
    np.testing.assert_allclose(found[:58], truth[:58], atol=1e-9)
    assert np.isnan(found[58:]).all()


def test_an_unknown_dose_is_one_kind_and_no_beam_has_no_thickness() -> None:
    light = np.array([np.nan, 0.0, *np.linspace(0.5, 1.0, 20)])
    found = relative_thickness(light, np.full(22, 0.8), np.full(22, np.nan))
    assert np.isnan(found[:2]).all()
    assert np.isfinite(found[2:]).all()
    assert found[2] == pytest.approx(np.log(2), abs=0.02)
    assert found[-1] < 0  # a little brighter than the 99th percentile


def test_nothing_and_too_few() -> None:
    empty = np.empty(0)
    assert relative_thickness(empty, empty, empty).shape == (0,)
    assert np.isnan(relative_thickness(np.ones(9), np.ones(9), np.ones(9))).all()
