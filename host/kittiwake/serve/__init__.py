"""Inference over HTTP: a folder of models, each with a card, behind the guide's contract and KServe's.

A model file that is replaced by rename is taken up while requests are answered; one that cannot be loaded leaves its
predecessor in place.
"""
