"""Counted models: n-grams with Kneser-Ney smoothing."""
