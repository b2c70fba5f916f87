-- The first schema: sessions, their messages and agents, and two journals. Applied once, inside a transaction.

CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END
$$;

CREATE TABLE sessions (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    title       text NOT NULL DEFAULT '',
    expires_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CHECK (expires_at > created_at)
);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE agent_states (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id  uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    agent       text NOT NULL,
    status      text NOT NULL DEFAULT 'idle' CHECK (status IN ('idle', 'waiting')),
    turns       bigint NOT NULL DEFAULT 0 CHECK (turns >= 0),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (session_id, agent)
);

-- `content` is a nonce and a ciphertext; the key is not in the database. `position` orders a session's messages.
CREATE TABLE chat_messages (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id  uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    position    bigint GENERATED ALWAYS AS IDENTITY,
    role        text NOT NULL CHECK (role IN ('user', 'assistant', 'system')),
    content     bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (session_id, position)
);

-- The journals are only ever added to, so they have nothing to update. A row here is a change of a check's status.
CREATE TABLE health_checks (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    service     text NOT NULL,
    status      text NOT NULL CHECK (status IN ('healthy', 'degraded', 'unhealthy')),
    message     text NOT NULL,
    latency_ms  double precision NOT NULL CHECK (latency_ms >= 0),
    checked_at  timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX health_checks_service_checked_at ON health_checks (service, checked_at DESC);

-- An event outlives its session.
CREATE TABLE event_logs (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    session_id  uuid REFERENCES sessions ON DELETE SET NULL,
    kind        text NOT NULL,
    request_id  text NOT NULL,
    data        jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX event_logs_session_id_created_at ON event_logs (session_id, created_at);
CREATE INDEX event_logs_kind_created_at ON event_logs (kind, created_at DESC);

CREATE TRIGGER set_updated_at BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON agent_states FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON chat_messages FOR EACH ROW EXECUTE FUNCTION set_updated_at();
