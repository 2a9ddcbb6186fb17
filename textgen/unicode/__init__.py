"""Unicode in linear time: grapheme clusters, normal forms, and rules for characters that nobody sees."""
