"""Text made safe and readable for Discord: cleaned, escaped, split, with hidden words taken out."""
