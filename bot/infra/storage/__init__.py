"""Where texts, bundles and checkpoints are kept: in the data directory, or in an S3-like storage.

A row names a file by its key, a path relative to the data directory. In the data directory the key is the
path. In an S3-like storage a file is the object of that key, and a folder is one zip, `KEY/SHA256.zip`, which
the row then names. Trainers and samplers read local files in both cases.
"""
