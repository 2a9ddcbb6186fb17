"""Experts whose contexts form chains, each longer than the one before it: what is counted, and looked up."""
