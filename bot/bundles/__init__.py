"""Model bundles in the bot: zip files out and in, their checks, and publishing one as a model."""
