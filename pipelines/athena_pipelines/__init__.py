"""Cryo-EM processing steps: arrays in, arrays out."""
