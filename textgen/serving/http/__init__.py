"""The HTTP service: completions in OpenAI's form, written by a sampling process."""
