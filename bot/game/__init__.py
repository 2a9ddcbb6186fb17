"""The game *Real or Pastiche?*: is a line one of the text, or one of the model that learned from it?"""
