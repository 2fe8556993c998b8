"""What we use of pymicro-features, the front end that wake words are trained with."""

class MicroFrontendOutput:
    features: list[float]
    samples_read: int

class MicroFrontend:
    def process_samples(self, audio: bytes) -> MicroFrontendOutput: ...
