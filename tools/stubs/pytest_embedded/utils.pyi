SERVICE_LIB_NAMES: dict[str, str]
