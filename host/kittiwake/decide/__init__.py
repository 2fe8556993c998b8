"""The gateway decides: of a record from the broker it makes features, a model's verdict, a message, and a command.

Everything but the model's run is a function of the record's bytes, so that a decision made twice is the same message.
"""
