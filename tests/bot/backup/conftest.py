from tests.support.bot.s3 import s3, s3_port

__all__ = ["s3", "s3_port"]
