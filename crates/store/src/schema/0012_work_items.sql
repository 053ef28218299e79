-- What people work on, such as alerts and cases. What each is stands in `records`, version by
-- version; this is where the newest version of each is found: by its queue, by who works on it, by
-- whom it is about. Written by the transaction that writes the version.
CREATE TABLE work_items (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    version BIGINT NOT NULL,
    queue TEXT NOT NULL,
    state SMALLINT NOT NULL,
    assignee TEXT NOT NULL,
    urgency BIGINT NOT NULL,
    subject TEXT NOT NULL
);
-- Only for those who do not ask by assignee: without statistics SQLite takes it for as good as the
-- next one, and would look at everything in a queue for what one person works on.
CREATE INDEX work_items_by_queue ON work_items (tenant, kind, queue, state, urgency, id)
    WHERE assignee >= '';
CREATE INDEX work_items_by_assignee
    ON work_items (tenant, kind, queue, state, assignee, urgency, id);
CREATE INDEX work_items_by_subject ON work_items (subject, tenant, kind, queue, state, id);

-- What a work item is about beside its subject: decisions, entities, other work items.
CREATE TABLE work_links (
    target TEXT NOT NULL,
    tenant TEXT NOT NULL,
    item TEXT NOT NULL,
    PRIMARY KEY (target, tenant, item)
);
