"""Unicode in linear time: grapheme clusters, normal forms, and rules for invisible characters."""
