"""What a fleet sends, stores and costs, against sending every sample: of a recording or of a running bridge."""
