-- The labels of a page of decisions: reports ask for them by the numbers of their events.
CREATE INDEX labels_by_event ON labels (tenant, event_no, seq);
