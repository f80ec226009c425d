//! What answers are made of.

use super::{Line, fields};

fields! {
    THINGS
    WebhookEndpoint {
        ManageWebhooks: id site state disabledReason disabledAt description url hasQuery types tags ordering onExhaustion
            rate timeout retries headers secrets after createdAt changedAt position progress waiting attempts replays;
        Audit: audit;
    }
    WebhookSecret {
        ManageWebhooks: id kind publicKey madeAt until;
    }
    MadeWebhookSecret {
        ManageWebhooks: kind secret publicKey;
    }
    WebhookProgress {
        ManageWebhooks: position lag waiting setAside succeededAt failingSince breaker breakerUntil throttledUntil error
            owned;
    }
    WebhookDelivery {
        ManageWebhooks: number position replay state attempts nextTry reason queuedAt failedAt;
    }
    WebhookAttempt {
        ManageWebhooks: id endpoint event position type replay attempt at latencyUs outcome status error requestHead
            responseHead responseBody nextTry;
    }
    WebhookReplay {
        ManageWebhooks: id endpoint what after until position state sent askedBy reason askedAt startedAt endedAt;
    }
    WebhookPreview {
        ManageWebhooks: count complete after until events;
    }
    ApiKey {
        Read: id actor name lastUsedAt state expiresAt roles createdAt position;
    }
    FailedSignIn {
        Audit: id at user userName method reason address;
    }
    Me {
        Read: actor name user;
    }
    RoleHeld {
        Read: role site;
    }
    User {
        Read: id actor username fullName email note state roles createdAt changedAt position;
        Audit: audit;
    }
    Alert {
        Read: id site kind severity status message cause pass car spring quantity stand flight allocation raisedAt
            raisedBy acknowledgedAt acknowledgedBy acknowledgedNote resolvedAt resolvedBy resolvedReason level
            escalatedAt changedAt position;
        Audit: provenance audit;
    }
    AlertChange {
        Read: position alert;
    }
    Allocation {
        Read: id site stand flight turnaround from to plannedTo bufferMinutes aircraftType code status overflow
            requested rulesVersion candidates note moves conflict cancelledBy cancelNote actor endedAt createdAt
            changedAt position;
        Audit: provenance audit;
    }
    AuditEntry {
        Audit: position event type site actor actorName command commandId correlationId causationId occurredAt recordedAt
            things action changes note sameCommand causationChain caused;
    }
    Candidate {
        Read: stand points rejected;
    }
    Car {
        Read: number vehicle camera limitsVersion outOfLimits worstLevel springs;
        Audit: provenance;
    }
    Change {
        Audit: thing field before after;
    }
    ChangedField {
        Past: field before after changedBack;
        Audit: events;
    }
    ChangedRow {
        Past: table key appeared fields;
        Audit: events;
    }
    Closure {
        Read: from to reason;
    }
    CommandDone {
        Audit: id name actor actorName correlationId causationId recordedAt events;
    }
    DeadLetter {
        OperateJobs: id source name commandId payload reason code attempts firstAt lastAt state closedBy closedAt
            closedReason;
    }
    Download {
        Audit: csv jsonl rows;
    }
    Event {
        Events: position id type version site tags data stored occurredAt recordedAt actor actorName command commandId
            correlationId causationId traceparent;
    }
    EventItem {
        Events: position event lagged;
    }
    Flight {
        Read: id site carrier number date direction airport scheduledAt status statusAt phase bestAt cancelled
            placement operator codeshares via cargo aircraftType registration code turnaround allocation stand
            alerts noStand source changedAt position;
        Audit: provenance audit;
    }
    FlightChange {
        Read: position flight;
    }
    Job {
        Inspect: name about schedule zone missed nextAt pausedBy pausedAt pausedReason lastRun runs;
    }
    JobRun {
        Inspect: id job state trigger scheduledFor missed askedBy reason owner startedAt endedAt counts error;
    }
    Lagged {
        Events: from to;
    }
    Limit {
        Read: quantity unit alarmLow warningLow warningHigh alarmHigh;
    }
    Limits {
        Read: version validFrom limits;
        Audit: provenance;
    }
    LiveAlertChange {
        Read: kind id index node;
    }
    LiveAlertList {
        Read: position snapshot changes;
    }
    LiveAllocationChange {
        Read: kind id index node;
    }
    LiveAllocationList {
        Read: position snapshot changes;
    }
    LiveFlightChange {
        Read: kind id index node;
    }
    LiveFlightList {
        Read: position snapshot changes;
    }
    LivePassChange {
        Read: kind id index node;
    }
    LivePassList {
        Read: position snapshot changes;
    }
    LiveStandChange {
        Read: kind id index node;
    }
    LiveStandList {
        Read: position snapshot changes;
    }
    Move {
        Read: from to at by note;
    }
    Occupancy {
        Read: from to allocations closures;
    }
    Pass {
        Read: id site track passedAt train status declaredCars measuredCars springCount outOfLimits worstLevel
            cars alerts openAlerts readyToConfirm completedAt confirmedAt confirmedBy confirmedNote reopenedBy
            changedAt position;
        Audit: provenance audit;
    }
    PassChange {
        Read: position pass;
    }
    Pause {
        Inspect: by at reason;
    }
    Placement {
        Read: gate belt terminal aisle hall;
    }
    Policy {
        Inspect: name version position lagEvents on switchedBy switchedAt switchedReason error errorPosition
            timerCount timers switches;
    }
    PolicySwitch {
        Inspect: at on actor reason stood resumed;
    }
    Projection {
        Inspect: name version position lagEvents lagSeconds rate state owned owner error errorPosition attempts
            paused rebuild updatedAt operations;
    }
    ProjectionDifference {
        OperateProjections: table key field stored expected;
    }
    ProjectionOperation {
        Free: at projection operation actor reason logPosition position until;
    }
    ProjectionVerification {
        OperateProjections: projection position state errorPosition rows differingRows differences;
    }
    Provenance {
        Audit: position events causationChain caused command actor;
    }
    Reaction {
        Audit: depth entry;
    }
    Rebuild {
        Inspect: version until state position head rate secondsLeft owner error askedBy reason askedAt startedAt
            updatedAt cancelledBy;
    }
    RefusedCommand {
        Audit: id position refusedAt actor actorName command commandId correlationId causationId site things code message
            details input;
    }
    Site {
        Read: id name kind zone icao rulesVersion bufferMinutes defaultTurnaround weights turnaroundRules
            changedAt position;
        Audit: provenance audit;
    }
    Spring {
        Read: spring quantity unit value quality level bound;
        Audit: provenance;
    }
    Stand {
        Read: id site name kind code jetway distanceM status current next occupancy closures allocations changedAt
            position;
        Audit: provenance audit;
    }
    StandChange {
        Read: position stand;
    }
    StoredData {
        Events: version data;
    }
    ThingDiff {
        Past: thing rows;
    }
    Timer {
        Inspect: policy key due command event attempts error;
    }
    Turnaround {
        Read: min typical max;
    }
    TurnaroundRule {
        Read: aircraftType min typical max;
        Audit: provenance;
    }
    Weights {
        Read: spareLetter noJetway metre;
    }
}
