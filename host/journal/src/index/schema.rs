//! The tables. Readers may rely on names and meanings within one version.

/// Raised with every change below; an index of another version is built anew.
pub(super) const VERSION: i32 = 1;

/// Money, prices and quantities are decimal text; times are ns since 1970 UTC; sequences and leaves are the journal's.
pub(super) const CREATE: &str = "
BEGIN;
PRAGMA user_version = 1;

-- How far the journal is indexed: entries, and the leaf of the last.
CREATE TABLE watermark (id INTEGER PRIMARY KEY CHECK (id = 1), next INTEGER NOT NULL, head BLOB NOT NULL);

-- One row for each entry.
CREATE TABLE entries (
  sequence INTEGER PRIMARY KEY,
  time     INTEGER NOT NULL,
  kind     INTEGER NOT NULL,
  name     TEXT,              -- null for a kind this version does not know
  actor    TEXT NOT NULL,     -- host, strategy, operator, venue
  strategy INTEGER,
  order_id INTEGER,
  symbol   TEXT,
  leaf     BLOB NOT NULL
);
CREATE INDEX entries_kind ON entries (kind, sequence);
CREATE INDEX entries_order ON entries (order_id, sequence) WHERE order_id IS NOT NULL;

CREATE TABLE instruments (
  instrument INTEGER PRIMARY KEY,
  symbol TEXT NOT NULL,
  category TEXT NOT NULL,
  price_decimals INTEGER NOT NULL,
  quantity_decimals INTEGER NOT NULL
);

CREATE TABLE strategies (strategy INTEGER PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL);

CREATE TABLE orders (
  order_id    INTEGER PRIMARY KEY,
  sequence    INTEGER NOT NULL UNIQUE,  -- of the approval
  link        TEXT UNIQUE,              -- client id at the venue
  venue_order TEXT,                     -- the venue's id
  strategy    INTEGER,
  instrument  INTEGER NOT NULL,
  symbol      TEXT,
  side        TEXT NOT NULL,
  price       TEXT,                     -- limit or collar
  quantity    TEXT NOT NULL,
  executed    TEXT NOT NULL,            -- by the executions seen
  executed_mantissa INTEGER NOT NULL,
  quantity_mantissa INTEGER NOT NULL,
  reduce_only INTEGER NOT NULL,
  status      TEXT NOT NULL,
  approved    INTEGER NOT NULL,
  updated     INTEGER NOT NULL          -- sequence of the last change
);
CREATE INDEX orders_status ON orders (status);

CREATE TABLE executions (
  sequence   INTEGER PRIMARY KEY,
  exec       TEXT NOT NULL,
  kind       TEXT NOT NULL,
  order_id   INTEGER,
  strategy   INTEGER,
  symbol     TEXT,
  side       TEXT NOT NULL,
  price      TEXT NOT NULL,
  quantity   TEXT NOT NULL,
  fee        TEXT NOT NULL,
  maker      INTEGER NOT NULL,
  venue_time INTEGER NOT NULL
);
CREATE INDEX executions_order ON executions (order_id) WHERE order_id IS NOT NULL;
COMMIT;
";
