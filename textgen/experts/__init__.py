"""Counted models: n-grams with Kneser-Ney smoothing. They need no training."""
