"""Catalogues of translations, a folder a language; `python -m bot.locales.update` renews them."""
