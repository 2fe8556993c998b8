"""History: records from the broker into a database, each exactly once, and what is asked of them afterwards.

from kittiwake.history import open_history

with open_history("kittiwake.sqlite") as history:
for bucket in history.summaries("press-7", "vibration", every_s=3600):
print(bucket.start, bucket.mean, bucket.unit)
"""

from kittiwake.history.asking import History, open_history
from kittiwake.history.described import ChannelSpan
from kittiwake.history.frames import figures_frame, messages_frame
from kittiwake.history.rollups import Bucket

__all__ = ["Bucket", "ChannelSpan", "History", "figures_frame", "messages_frame", "open_history"]
