-- The events of some types at one site, without walking through those of others: the audit trail has them by site.
create index audit_site_type on read.audit (site, type, position);
