"""A second opinion on a wake word: its second of audio, heard again on the gateway by a larger model.

`audio` gathers the parts, `worker` keeps the process that hears them, `scorer` is that process. None of them knows a
broker or a device.
"""
