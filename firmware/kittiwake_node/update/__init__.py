"""Updates: signed releases, judged and taken piece by piece beside the application that runs."""
