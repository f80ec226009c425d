//! What can be asked, done and watched.

use super::{Line, fields};

fields! {
    ROOTS
    Query {
        Read: sites site stands stand flights flight allocations allocation passes pass springLimits alerts alert
            head position after me actorNames;
        Events: events event;
        Past: diff at;
        Audit: auditTrail refusals activity auditExport refusalExport failedSignIns;
        Inspect: projections projectionOperations policies timers jobs jobRuns;
        OperateProjections: projectionVerification;
        OperateJobs: deadLetters;
        ManageUsers: users user apiKeys;
        ManageWebhooks: webhookEndpoints webhookEndpoint webhookPreview;
    }
    Mutation {
        Read: changePassword;
        ManageUsers: createUser changeUser deactivateUser reactivateUser eraseUser issueSignInLink grantRole revokeRole
            issueKey revokeKey endSession;
        ManageWebhooks: registerWebhook changeWebhook disableWebhook enableWebhook removeWebhook rotateWebhookSecret
            testWebhook replayWebhook cancelWebhookReplay;
        Operate: allocateStand moveAllocation freeStand cancelAllocation confirmPass acknowledgeAlert;
        Supervise: closeStand reopenStand cancelFlight reinstateFlight resolveAlert;
        Report: reportFlight assignAircraft linkTurnaround;
        Configure: defineSite defineStand setAllocationRules setTurnaroundRule setLimits;
        OperateProjections: pauseProjection resumeProjection retryProjection rebuildProjection cancelRebuild skipEvent;
        OperateJobs: switchPolicy triggerJob pauseJob resumeJob retryDeadLetter discardDeadLetter;
    }
    Subscription {
        Read: standChanged flightChanged liveStands liveFlights liveAllocations passChanged livePasses
            alertChanged liveAlerts;
        Events: events;
        Inspect: projectionChanged;
        ManageWebhooks: deliveryChanged;
    }
    Past {
        Read: time sites site stands stand flights flight allocations allocation passes pass springLimits alerts
            alert head position;
        Events: events event;
        Past: diff;
        Audit: auditTrail refusals activity auditExport refusalExport;
        ManageUsers: users user apiKeys;
        ManageWebhooks: webhookEndpoints webhookEndpoint;
    }
    Now {
        Read: sites site stands stand flights flight allocations allocation passes pass springLimits alerts alert
            head position;
        Events: events event;
        Past: diff;
        Audit: auditTrail refusals activity auditExport refusalExport;
        ManageUsers: users user apiKeys;
        ManageWebhooks: webhookEndpoints webhookEndpoint;
    }
}
