"""Questions to a history in SQL that both databases know, with `?` for values. It knows no connection."""

from __future__ import annotations

GAPS_OF_A_JOURNAL = (
    "SELECT seq + 1, following - 1, arrived FROM (SELECT seq, lead(seq) OVER (ORDER BY seq) AS following,"
    " lead(arrived_ms) OVER (ORDER BY seq) AS arrived FROM records WHERE journal_id = ?) AS pairs"
    " WHERE following > seq + 1 ORDER BY seq"
)
_MESSAGE = "SELECT device, journal, seq, kind, channel, ts_ms, is_repaired, arrived_ms, payload"
MESSAGES = (
    _MESSAGE + " FROM journals JOIN streams ON streams.journal_id = journals.id JOIN records ON stream_id = streams.id"
)
SPAN = (
    " WHERE coalesce(ts_ms, arrived_ms) >= ? AND coalesce(ts_ms, arrived_ms) < ?"
    " ORDER BY streams.id, coalesce(ts_ms, arrived_ms), seq"
)
# One number stands for the journal, so that both databases go backwards through the records' key.
JOURNAL = (
    _MESSAGE + " FROM records"
    " JOIN streams ON streams.id = stream_id JOIN journals ON journals.id = records.journal_id"
    " WHERE records.journal_id = (SELECT id FROM journals WHERE device = ? AND journal = ?)"
    " AND seq < ? ORDER BY seq DESC LIMIT ?"
)
