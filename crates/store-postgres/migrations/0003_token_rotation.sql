-- What becomes of tokens once they were issued: refresh tokens are used once, and access tokens can be revoked.

-- The scope that a session's access tokens carry. Sessions from before were all given this one, or one that meant as much.
ALTER TABLE sessions ADD COLUMN token_scope text NOT NULL DEFAULT 'market:all';
-- For clearing away what has expired.
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Refresh tokens that were used: one that comes again ends its session.
CREATE TABLE used_refresh_tokens (
    digest bytea PRIMARY KEY CHECK (length(digest) = 32),
    session_id text COLLATE "C" NOT NULL REFERENCES sessions ON DELETE CASCADE,
    used_at timestamptz NOT NULL DEFAULT now(),
    -- When it would have expired at the latest: it is forgotten then.
    expires_at timestamptz NOT NULL
);
CREATE INDEX used_refresh_tokens_session ON used_refresh_tokens (session_id, expires_at);

-- Clients' own access tokens that are not to be accepted any more, until they expire.
CREATE TABLE revoked_access_tokens (
    id text COLLATE "C" PRIMARY KEY,
    organization_id text COLLATE "C" NOT NULL,
    mode text NOT NULL,
    application_id text COLLATE "C" NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX revoked_access_tokens_client ON revoked_access_tokens (application_id, expires_at);
CREATE INDEX revoked_access_tokens_expiry ON revoked_access_tokens (expires_at);
