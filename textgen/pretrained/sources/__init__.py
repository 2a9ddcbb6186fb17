"""Where bases come from: folders in Hugging Face's layout, GGUF files, installed packages, the hub."""
