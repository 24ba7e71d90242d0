// Written by widgets/js/generate.py from the Python side; edit that, then run build.py --client.

export const METRICS = {
  "defocus_um": {
    "name": "defocus_um",
    "label": "Defocus",
    "unit": "µm",
    "digits": 2,
    "lower_is_better": null
  },
  "defocus_u_angstrom": {
    "name": "defocus_u_angstrom",
    "label": "Defocus U",
    "unit": "Å",
    "digits": 0,
    "lower_is_better": null
  },
  "defocus_v_angstrom": {
    "name": "defocus_v_angstrom",
    "label": "Defocus V",
    "unit": "Å",
    "digits": 0,
    "lower_is_better": null
  },
  "astigmatism_nm": {
    "name": "astigmatism_nm",
    "label": "Astigmatism",
    "unit": "nm",
    "digits": 0,
    "lower_is_better": true
  },
  "astigmatism_angle_deg": {
    "name": "astigmatism_angle_deg",
    "label": "Astigmatism angle",
    "unit": "°",
    "digits": 1,
    "lower_is_better": null
  },
  "phase_shift_deg": {
    "name": "phase_shift_deg",
    "label": "Phase shift",
    "unit": "°",
    "digits": 1,
    "lower_is_better": null
  },
  "ctf_resolution_angstrom": {
    "name": "ctf_resolution_angstrom",
    "label": "CTF resolution",
    "unit": "Å",
    "digits": 1,
    "lower_is_better": true
  },
  "ctf_resolution_half_angstrom": {
    "name": "ctf_resolution_half_angstrom",
    "label": "CTF resolution (0.5)",
    "unit": "Å",
    "digits": 1,
    "lower_is_better": true
  },
  "ctf_score": {
    "name": "ctf_score",
    "label": "CTF score",
    "unit": "",
    "digits": 3,
    "lower_is_better": false
  },
  "drift_total_angstrom": {
    "name": "drift_total_angstrom",
    "label": "Total drift",
    "unit": "Å",
    "digits": 1,
    "lower_is_better": true
  },
  "drift_raw_angstrom": {
    "name": "drift_raw_angstrom",
    "label": "Total drift (raw)",
    "unit": "Å",
    "digits": 1,
    "lower_is_better": true
  },
  "drift_early_angstrom": {
    "name": "drift_early_angstrom",
    "label": "Early drift",
    "unit": "Å",
    "digits": 1,
    "lower_is_better": true
  },
  "drift_late_angstrom": {
    "name": "drift_late_angstrom",
    "label": "Late drift",
    "unit": "Å",
    "digits": 1,
    "lower_is_better": true
  },
  "drift_mean_angstrom": {
    "name": "drift_mean_angstrom",
    "label": "Mean drift per frame",
    "unit": "Å",
    "digits": 2,
    "lower_is_better": true
  },
  "drift_direction_deg": {
    "name": "drift_direction_deg",
    "label": "Drift direction",
    "unit": "°",
    "digits": 0,
    "lower_is_better": null
  },
  "drift_debiased_angstrom": {
    "name": "drift_debiased_angstrom",
    "label": "Total drift less noise",
    "unit": "Å",
    "digits": 1,
    "lower_is_better": true
  },
  "drift_net_angstrom": {
    "name": "drift_net_angstrom",
    "label": "Net drift",
    "unit": "Å",
    "digits": 1,
    "lower_is_better": true
  },
  "drift_straightness": {
    "name": "drift_straightness",
    "label": "Straightness of drift",
    "unit": "",
    "digits": 2,
    "lower_is_better": null
  },
  "drift_largest_angstrom": {
    "name": "drift_largest_angstrom",
    "label": "Longest step",
    "unit": "Å",
    "digits": 2,
    "lower_is_better": true
  },
  "blur_kept": {
    "name": "blur_kept",
    "label": "Amplitude left by blur at 4 Å",
    "unit": "",
    "digits": 3,
    "lower_is_better": false
  },
  "shift_noise_px": {
    "name": "shift_noise_px",
    "label": "Shift noise",
    "unit": "px",
    "digits": 2,
    "lower_is_better": true
  },
  "mean_intensity_e_per_px": {
    "name": "mean_intensity_e_per_px",
    "label": "Mean intensity per frame",
    "unit": "e⁻/px",
    "digits": 2,
    "lower_is_better": null
  },
  "iciness": {
    "name": "iciness",
    "label": "Iciness",
    "unit": "",
    "digits": 2,
    "lower_is_better": true
  },
  "ice_thickness_nm": {
    "name": "ice_thickness_nm",
    "label": "Ice thickness",
    "unit": "nm",
    "digits": 0,
    "lower_is_better": null
  },
  "ice_relative": {
    "name": "ice_relative",
    "label": "Relative ice thickness",
    "unit": "",
    "digits": 3,
    "lower_is_better": null
  },
  "tilt_deg": {
    "name": "tilt_deg",
    "label": "Tilt",
    "unit": "°",
    "digits": 1,
    "lower_is_better": null
  },
  "tilt_error_deg": {
    "name": "tilt_error_deg",
    "label": "Error of the tilt",
    "unit": "°",
    "digits": 1,
    "lower_is_better": true
  },
  "tilt_axis_deg": {
    "name": "tilt_axis_deg",
    "label": "Tilt axis",
    "unit": "°",
    "digits": 0,
    "lower_is_better": null
  },
  "optics_group": {
    "name": "optics_group",
    "label": "Optics group",
    "unit": "",
    "digits": 0,
    "lower_is_better": null
  },
  "dose_e_per_A2": {
    "name": "dose_e_per_A2",
    "label": "Dose",
    "unit": "e⁻/Å²",
    "digits": 1,
    "lower_is_better": null
  },
  "target_defocus_um": {
    "name": "target_defocus_um",
    "label": "Target defocus",
    "unit": "µm",
    "digits": 2,
    "lower_is_better": null
  },
  "pixel_size_angstrom": {
    "name": "pixel_size_angstrom",
    "label": "Pixel size",
    "unit": "Å",
    "digits": 4,
    "lower_is_better": null
  },
  "frame_count": {
    "name": "frame_count",
    "label": "Frames",
    "unit": "",
    "digits": 0,
    "lower_is_better": null
  },
  "spectrum_nyquist_per_angstrom": {
    "name": "spectrum_nyquist_per_angstrom",
    "label": "Spectrum edge",
    "unit": "Å⁻¹",
    "digits": 3,
    "lower_is_better": null
  },
  "acquired_unix_s": {
    "name": "acquired_unix_s",
    "label": "Acquired",
    "unit": "s",
    "digits": 0,
    "lower_is_better": null
  },
  "processing_s": {
    "name": "processing_s",
    "label": "Processing time",
    "unit": "s",
    "digits": 1,
    "lower_is_better": true
  }
} as const;

export const ACQUISITION_STATES = [
  "awaiting_movie",
  "registered",
  "processing",
  "completed",
  "error",
  "left_out"
] as const;

export const MESSAGES = {
  "GET": "get",
  "CANCEL": "cancel",
  "ANSWER": "answer"
} as const;

export const DEFAULTS = {
  "image_viewer": {
    "base_url": "api/",
    "branch": "",
    "content": "micrograph",
    "depth": 0,
    "file": "",
    "height": 560,
    "index": -1,
    "run_id": "",
    "source_kind": "comm",
    "theme": "dark",
    "version": 0
  },
  "run_gallery": {
    "base_url": "api/",
    "branch": "",
    "chosen": "",
    "drift_limit_angstrom": 20.0,
    "height": 560,
    "judged": "",
    "may_filter": false,
    "may_judge": true,
    "metrics": [],
    "mode": "extended",
    "opened": -1,
    "order": "newest",
    "problem": "",
    "rules": [],
    "run_id": "",
    "selected": -1,
    "shown": "",
    "source_kind": "comm",
    "theme": "dark",
    "version": 0,
    "wanted": ""
  },
  "run_dataviz": {
    "base_url": "api/",
    "branch": "",
    "charts": [],
    "chosen": "",
    "height": 560,
    "judged": "",
    "may_judge": true,
    "metrics": [],
    "opened": -1,
    "problem": "",
    "rules": [],
    "run_id": "",
    "show_count": true,
    "source_kind": "comm",
    "tally": {},
    "theme": "dark",
    "version": 0
  },
  "motion_traces": {
    "base_url": "api/",
    "branch": "",
    "drift_limit_angstrom": 20.0,
    "height": 560,
    "index": -1,
    "run_id": "",
    "scale": "auto",
    "source_kind": "comm",
    "theme": "dark",
    "version": 0
  },
  "ctf_fit": {
    "base_url": "api/",
    "branch": "",
    "height": 560,
    "index": -1,
    "run_id": "",
    "source_kind": "comm",
    "theme": "dark",
    "version": 0
  },
  "volume_viewer": {
    "base_url": "api/",
    "height": 560,
    "position": [],
    "shown_as": "surface",
    "slab": 1,
    "source_kind": "comm",
    "stack": false,
    "theme": "dark",
    "threshold": 2.5,
    "volume": ""
  }
} as const;

export const CATEGORICAL = [
  "#56b4e9",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#d55e00",
  "#0072b2",
  "#f0e442"
] as const;

export const TILE = 512 as const;

export const THUMBNAIL_SIZE = 256 as const;

export const SPECTRUM_SIZE = 256 as const;

export type MetricName = keyof typeof METRICS;
