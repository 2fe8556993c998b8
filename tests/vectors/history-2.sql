PRAGMA application_id = 1264019571;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE boots (
    journal_id INTEGER NOT NULL REFERENCES journals, boot INTEGER NOT NULL, seq INTEGER NOT NULL,
    epoch_ms INTEGER NOT NULL, PRIMARY KEY (journal_id, boot)
) STRICT, WITHOUT ROWID;
INSERT INTO "boots" VALUES(1,1,1,1800000000000);
INSERT INTO "boots" VALUES(1,2,5,1800010000000);
CREATE TABLE calibrations (
    id INTEGER PRIMARY KEY, unit TEXT NOT NULL, scale TEXT NOT NULL, "offset" TEXT NOT NULL,
    UNIQUE (unit, scale, "offset")
) STRICT;
INSERT INTO "calibrations" VALUES(1,'mm/s','1/100','-3/10');
INSERT INTO "calibrations" VALUES(2,'g','1/8','0/1');
CREATE TABLE dropped (
    journal_id INTEGER NOT NULL REFERENCES journals, class INTEGER NOT NULL,
    records INTEGER NOT NULL, bytes INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    dropped_ms INTEGER NOT NULL, PRIMARY KEY (journal_id, class)
) STRICT, WITHOUT ROWID;
CREATE TABLE journals (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, journal TEXT NOT NULL, UNIQUE (device, journal)
) STRICT;
INSERT INTO "journals" VALUES(1,'press-7','1122334455667788');
CREATE TABLE records (
    journal_id INTEGER NOT NULL REFERENCES journals, seq INTEGER NOT NULL,
    stream_id INTEGER NOT NULL REFERENCES streams,
    ts_ms INTEGER, is_repaired INTEGER NOT NULL DEFAULT 0,
    boot INTEGER NOT NULL, uptime_ms INTEGER NOT NULL, arrived_ms INTEGER NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (journal_id, seq)
) STRICT;
INSERT INTO "records" VALUES(1,0,1,1800000001000,1,1,1000,1800005000000,'{"sensor_id":"vib-001","unit":"mm/s","ts":null,"mean":-0.24,"stdev":0.01,"low":-0.25,"high":-0.23,"n":2,"s":12,"q":74,"min":5,"max":7,"anomalies":0,"clipped":0,"index":1000,"scale":"1/100","offset":"-3/10","device":"press-7","journal":"1122334455667788","seq":0,"boot":1,"uptime_ms":1000,"kind":"summary","channel":"vibration"}');
INSERT INTO "records" VALUES(1,1,2,1800000002000,0,1,2000,1800005000000,'{"ts":"2027-01-15T08:00:02.000Z","device":"press-7","journal":"1122334455667788","seq":1,"boot":1,"uptime_ms":2000,"kind":"time","channel":""}');
INSERT INTO "records" VALUES(1,2,1,1800000060000,0,1,60000,1800005000000,'{"sensor_id":"vib-001","unit":"mm/s","ts":"2027-01-15T08:01:00.000Z","mean":0.18,"stdev":0.73,"low":-0.33,"high":0.7,"n":2,"s":97,"q":10009,"min":-3,"max":100,"anomalies":0,"clipped":0,"index":60000,"scale":"1/100","offset":"-3/10","device":"press-7","journal":"1122334455667788","seq":2,"boot":1,"uptime_ms":60000,"kind":"summary","channel":"vibration"}');
INSERT INTO "records" VALUES(1,3,1,1800003700000,0,1,3700000,1800005000000,'{"sensor_id":"vib-001","unit":"mm/s","ts":"2027-01-15T09:01:40.000Z","mean":-0.21,"stdev":null,"low":-0.21,"high":-0.21,"n":1,"s":9,"q":81,"min":9,"max":9,"anomalies":0,"clipped":0,"index":3700000,"scale":"1/100","offset":"-3/10","device":"press-7","journal":"1122334455667788","seq":3,"boot":1,"uptime_ms":3700000,"kind":"summary","channel":"vibration"}');
INSERT INTO "records" VALUES(1,4,3,1800010000500,1,2,500,1800010100000,'{"sensor_id":"vib-002","value":1.0,"unit":"g","ts":null,"x":8,"index":1,"device":"press-7","journal":"1122334455667788","seq":4,"boot":2,"uptime_ms":500,"kind":"reading","channel":"vibration"}');
INSERT INTO "records" VALUES(1,5,1,1800010060000,0,2,60000,1800010100000,'{"sensor_id":"vib-002","unit":"g","ts":"2027-01-15T10:47:40.000Z","mean":1.5,"stdev":0.71,"low":1.0,"high":2.0,"n":2,"s":24,"q":320,"min":8,"max":16,"anomalies":0,"clipped":0,"index":60000,"scale":"1/8","offset":"0/1","device":"press-7","journal":"1122334455667788","seq":5,"boot":2,"uptime_ms":60000,"kind":"summary","channel":"vibration"}');
INSERT INTO "records" VALUES(1,6,4,NULL,0,3,10,1800010200000,'{"ts":null,"code":7,"text":"no time","device":"press-7","journal":"1122334455667788","seq":6,"boot":3,"uptime_ms":10,"kind":"event","channel":""}');
CREATE TABLE rollups (
    stream_id INTEGER NOT NULL REFERENCES streams, width_s INTEGER NOT NULL,
    start_s INTEGER NOT NULL, calibration_id INTEGER NOT NULL REFERENCES calibrations,
    n INTEGER NOT NULL, s TEXT NOT NULL, q TEXT NOT NULL, least INTEGER NOT NULL, most INTEGER NOT NULL,
    anomalies INTEGER NOT NULL,
    PRIMARY KEY (stream_id, width_s, start_s, calibration_id)
) STRICT, WITHOUT ROWID;
INSERT INTO "rollups" VALUES(1,60,1800000000,1,2,'12','74',5,7,0);
INSERT INTO "rollups" VALUES(1,60,1800000060,1,2,'97','10009',-3,100,0);
INSERT INTO "rollups" VALUES(1,60,1800003660,1,1,'9','81',9,9,0);
INSERT INTO "rollups" VALUES(1,60,1800010020,2,2,'24','320',8,16,0);
INSERT INTO "rollups" VALUES(1,3600,1800000000,1,4,'109','10083',-3,100,0);
INSERT INTO "rollups" VALUES(1,3600,1800003600,1,1,'9','81',9,9,0);
INSERT INTO "rollups" VALUES(1,3600,1800007200,2,2,'24','320',8,16,0);
INSERT INTO "rollups" VALUES(1,86400,1799971200,1,5,'118','10164',-3,100,0);
INSERT INTO "rollups" VALUES(1,86400,1799971200,2,2,'24','320',8,16,0);
CREATE TABLE streams (
    id INTEGER PRIMARY KEY, journal_id INTEGER NOT NULL REFERENCES journals, kind TEXT NOT NULL,
    channel TEXT NOT NULL, class INTEGER NOT NULL, UNIQUE (journal_id, kind, channel)
) STRICT;
INSERT INTO "streams" VALUES(1,1,'summary','vibration',1);
INSERT INTO "streams" VALUES(2,1,'time','',2);
INSERT INTO "streams" VALUES(3,1,'reading','vibration',1);
INSERT INTO "streams" VALUES(4,1,'event','',2);
CREATE INDEX records_by_time ON records (stream_id, coalesce(ts_ms, arrived_ms));
CREATE INDEX records_without_time ON records (journal_id, boot) WHERE ts_ms IS NULL OR is_repaired;
CREATE VIEW messages AS
    SELECT device, journal, seq, kind, channel,
        strftime('%Y-%m-%dT%H:%M:%fZ', ts_ms / 1000.0, 'unixepoch') AS ts, is_repaired, boot, uptime_ms,
        strftime('%Y-%m-%dT%H:%M:%fZ', arrived_ms / 1000.0, 'unixepoch') AS arrived, payload
    FROM records JOIN streams ON streams.id = stream_id JOIN journals ON journals.id = records.journal_id;
CREATE VIEW alerts AS
    SELECT device, seq, channel, ts, payload ->> 'detector' AS detector, payload ->> 'value' AS value,
        payload ->> 'unit' AS unit, payload ->> 'z_score' AS z_score, payload ->> 'mean' AS mean,
        payload ->> 'stdev' AS stdev
    FROM messages WHERE kind = 'alert';
CREATE VIEW summaries AS
    SELECT device, seq, channel, ts, payload ->> 'n' AS n, payload ->> 'mean' AS mean, payload ->> 'stdev' AS stdev,
        payload ->> 'low' AS low, payload ->> 'high' AS high, payload ->> 'unit' AS unit
    FROM messages WHERE kind = 'summary';
CREATE VIEW readings AS
    SELECT device, seq, channel, ts, payload ->> 'value' AS value, payload ->> 'unit' AS unit
    FROM messages WHERE kind = 'reading';
CREATE VIEW keywords AS
    SELECT device, seq, channel, ts, payload ->> 'keyword' AS keyword, payload ->> 'probability' AS probability,
        payload ->> 'verdict' AS verdict
    FROM messages WHERE kind = 'keyword';
CREATE VIEW events AS
    SELECT device, seq, ts, payload ->> 'code' AS code, payload ->> 'text' AS text FROM messages WHERE kind = 'event';
CREATE VIEW health AS
    SELECT device, seq, ts, uptime_ms, payload ->> 'heap_free' AS heap_free FROM messages WHERE kind = 'health';
COMMIT;
