-- Acts of one tenant, newest first: what its administrators read.
CREATE INDEX acts_by_tenant ON acts (tenant, seq);
