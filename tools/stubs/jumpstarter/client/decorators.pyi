from collections.abc import Callable
from typing import Any

import click

def driver_click_group(client: Any, **kwargs: Any) -> Callable[[Callable[[], None]], click.Group]: ...
