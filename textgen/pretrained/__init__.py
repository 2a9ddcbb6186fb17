"""Pretrained bases: models of Llama's family, in a form that this library reads and serves."""
