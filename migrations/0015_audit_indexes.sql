-- The audit trail's indexes, by what is asked of it. In one file and not `concurrently`: only the folding of the trail waits
-- while they are made, for some seconds per million entries; commands and reads go on.
--
-- audit_site and audit_actor (0002) stay: the newest or oldest of a site, of a person.

-- A time is a place in the log, since the log's clock never goes back: it is found by halving along the primary key.
drop index read.audit_recorded;
-- The events of a command follow each other, and `command` says where; ids at random cost most of all to keep in order.
drop index read.audit_command;

-- The newest or oldest of a type.
create index audit_type on read.audit (type, position);
-- From a reaction back to what it reacted to; ids of events come in order, so that this grows at one end.
create unique index audit_event on read.audit (event);
-- From an event forward to its reactions, and all reactions of one chain: few events are reactions.
create index audit_causation on read.audit (causation_id) where causation_id is not null;
create index audit_correlation on read.audit (correlation_id, position) where causation_id is not null;
-- The words of notes. Few events have a note. What parts words becomes a space, since the parser would take LFW/C03 for the
-- path of a file.
create index audit_note_words on read.audit
    using gin (to_tsvector('simple', translate(note, './\-_:@,;()''"+&=?#%', '                   '))) where note <> '';
