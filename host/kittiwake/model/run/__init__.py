"""A plan on a target, beside TFLite Micro: what it gives, what memory it takes, whether the bytes agree."""
