-- The application's role and its rights, as far as they are not there yet. Run by the role that owns the database's
-- tables, after each migration. Roles belong to the whole server: another database may be making this one right now,
-- which fails one of the two, and that one tries again.
do $$
declare
    app constant name := 'vigie_app';
    thing record;
begin
    perform pg_advisory_xact_lock(hashtextextended('vigie rights', 0));
    if not exists (select from pg_roles where rolname = app) then
        create role vigie_app;
    end if;
    -- To hand it the read models, and to run as it.
    if not pg_has_role(current_user, app, 'usage') then
        execute format('grant %I to %I', app, current_user);
    end if;

    if not has_schema_privilege(app, 'public', 'usage') then
        execute format('grant usage on schema public to %I', app);
    end if;
    -- The log is read, and written by `log_append` alone; its partitions are nobody's to address. Every other table
    -- beside it is the application's to write.
    for thing in
        select c.oid::regclass name,
               c.relname in ('event', 'event_tag', 'command', '_sqlx_migrations') or c.relname like 'log\_%' is_log
        from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
          and (c.relname not like 'event%' or c.relname in ('event', 'event_tag'))
    loop
        if thing.is_log and has_table_privilege(app, thing.name, 'insert, update, delete, truncate, trigger') then
            execute format('revoke all on %s from %I', thing.name, app);
        end if;
        if thing.is_log and not has_table_privilege(app, thing.name, 'select') then
            execute format('grant select on %s to %I', thing.name, app);
        elsif not thing.is_log and not (
            has_table_privilege(app, thing.name, 'select') and has_table_privilege(app, thing.name, 'insert')
            and has_table_privilege(app, thing.name, 'update') and has_table_privilege(app, thing.name, 'delete'))
        then
            execute format('grant select, insert, update, delete on %s to %I', thing.name, app);
        end if;
    end loop;
    for thing in
        select p.oid::regprocedure name from pg_proc p
        where p.pronamespace = 'public'::regnamespace
          and (p.proname like 'log\_append%' or p.proname in (
              'log_matching', 'log_require', 'log_require_tags', 'log_require_kinds', 'log_extend'))
          and not has_function_privilege(app, p.oid, 'execute')
    loop
        execute format('grant execute on function %s to %I', thing.name, app);
    end loop;

    -- Read models are made anew, compared and swapped by the application: what holds them is its own.
    for thing in
        select n.nspname name from pg_namespace n
        where n.nspname in ('read', 'read_rebuild', 'read_verify') and n.nspowner <> app::regrole
    loop
        execute format('alter schema %I owner to %I', thing.name, app);
    end loop;
    for thing in
        select c.oid::regclass name from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('read', 'read_rebuild', 'read_verify') and c.relkind in ('r', 'p')
          and c.relowner <> app::regrole
    loop
        execute format('alter table %s owner to %I', thing.name, app);
    end loop;
end
$$;
