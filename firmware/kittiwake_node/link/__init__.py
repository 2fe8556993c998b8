"""Records, frames, messages, commands, both ends of a session: the codec, which the gateway shares. Pure."""
