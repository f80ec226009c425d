//! What holds nothing of its own: lists, results, refusals. Whoever may ask gets them, with what they may see in them.

use super::{Line, fields};

fields! {
    PLAIN
    WebhookEndpointConnection {
        Free: pageInfo edges nodes totalCount;
    }
    WebhookEndpointEdge {
        Free: node cursor;
    }
    WebhookPayload {
        Free: position commandId appended behind endpoint;
    }
    WebhookRefusal {
        Free: code message endpoint site pattern most minutes;
    }
    WebhookReplayPayload {
        Free: replay;
    }
    WebhookSecretPayload {
        Free: position commandId appended behind secrets endpoint;
    }
    WebhookTestPayload {
        Free: attempt;
    }
    AccountRefusal {
        Free: code message user key session site username days retry;
    }
    ApiKeyConnection {
        Free: pageInfo edges nodes totalCount;
    }
    ApiKeyEdge {
        Free: node cursor;
    }
    ChangedUserPayload {
        Free: user;
    }
    IssuedKeyPayload {
        Free: position commandId appended behind secret key;
    }
    LinkPayload {
        Free: path expiresAt;
    }
    RevokedKeyPayload {
        Free: position commandId appended behind key;
    }
    RolePayload {
        Free: position commandId appended behind user key;
    }
    SessionPayload {
        Free: position commandId appended behind session;
    }
    UserConnection {
        Free: pageInfo edges nodes totalCount;
    }
    UserEdge {
        Free: node cursor;
    }
    UserPayload {
        Free: position commandId appended behind user;
    }
    AlertConnection {
        Free: pageInfo edges nodes totalCount;
    }
    AlertEdge {
        Free: node cursor;
    }
    AlertPayload {
        Free: position commandId appended behind earlier alert;
    }
    AlertRefusal {
        Free: code message alert resolved;
    }
    AllocateStandPayload {
        Free: position commandId appended behind outcome allocationId allocation flight candidates;
    }
    AllocationConnection {
        Free: pageInfo edges nodes totalCount;
    }
    AllocationEdge {
        Free: node cursor;
    }
    AllocationPayload {
        Free: position commandId appended behind allocation;
    }
    AllocationRefusal {
        Free: code message allocation offBlockAt earliest latest candidates;
    }
    AuditEntryConnection {
        Free: pageInfo edges nodes totalCount;
    }
    AuditEntryEdge {
        Free: node cursor;
    }
    Behind {
        Free: readModel position wanted stopped paused;
    }
    DeadLetterRefusal {
        Free: code message letter state by how;
    }
    DeedConnection {
        Free: pageInfo edges nodes;
    }
    DeedEdge {
        Free: node cursor;
    }
    DiscardDeadLetterPayload {
        Free: letter;
    }
    Earlier {
        Free: position at by note;
    }
    EventConnection {
        Free: pageInfo edges nodes;
    }
    EventEdge {
        Free: node cursor;
    }
    FlightConnection {
        Free: pageInfo edges nodes totalCount;
    }
    FlightEdge {
        Free: node cursor;
    }
    FlightPayload {
        Free: position commandId appended behind flight;
    }
    FlightRefusal {
        Free: code message flight at stand allocation interval aircraftType wingspanCm;
    }
    Interval {
        Free: from to;
    }
    JobPayload {
        Free: changed job;
    }
    JobRefusal {
        Free: code message job known since;
    }
    JobRunPayload {
        Free: run;
    }
    LimitsPayload {
        Free: position commandId appended behind version;
    }
    PageInfo {
        Free: hasPreviousPage hasNextPage startCursor endCursor;
    }
    PassConnection {
        Free: pageInfo edges nodes totalCount;
    }
    PassEdge {
        Free: node cursor;
    }
    PassPayload {
        Free: position commandId appended behind earlier pass;
    }
    PassRefusal {
        Free: code message pass declared measured missing springs alerts;
    }
    PolicyPayload {
        Free: changed policy;
    }
    ProjectionPayload {
        Free: changed projection;
    }
    ProjectionRefusal {
        Free: code message projection known stoppedAt position first last by;
    }
    Refusal {
        Free: code message;
    }
    RefusedCommandConnection {
        Free: pageInfo edges nodes totalCount;
    }
    RefusedCommandEdge {
        Free: node cursor;
    }
    RetryDeadLetterPayload {
        Free: accepted letter;
    }
    RulesPayload {
        Free: position commandId appended behind site;
    }
    SiteConnection {
        Free: pageInfo edges nodes totalCount;
    }
    SiteEdge {
        Free: node cursor;
    }
    SitePayload {
        Free: position commandId appended behind site;
    }
    SiteRefusal {
        Free: code message site;
    }
    SkipPayload {
        Free: position commandId appended behind earlier projection;
    }
    SpringName {
        Free: car spring quantity;
    }
    StandConnection {
        Free: pageInfo edges nodes totalCount;
    }
    StandEdge {
        Free: node cursor;
    }
    StandPayload {
        Free: position commandId appended behind stand allocations;
    }
    StandRefusal {
        Free: code message stand takes needs interval flight allocation bufferMinutes;
    }
    ThingDiffConnection {
        Free: pageInfo edges nodes from to;
    }
    ThingDiffEdge {
        Free: node cursor;
    }
    TurnaroundRefusal {
        Free: code message arrival departure flight with arrivalAt departureAt;
    }
    ValueRefusal {
        Free: code message at interval text rule max maxDays quantity;
    }
}
