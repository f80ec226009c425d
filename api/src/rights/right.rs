//! What somebody may be allowed to do.

/// What somebody may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// See sites and what is there, as it is.
    Read,
    /// Read the log itself.
    Events,
    /// See everything as it was, and what changed.
    Past,
    /// See who did what and why, and what was refused.
    Audit,
    /// Allocate stands, acknowledge alerts, confirm passes.
    Operate,
    /// Close stands, and take back what others did.
    Supervise,
    /// Say what flights do, as feeds and people on the ground know it.
    Report,
    /// Set up sites, stands and rules.
    Configure,
    /// See how the installation does.
    Inspect,
    /// Hold up, rebuild and verify read models, and skip events.
    OperateProjections,
    /// Switch policies, run and hold up jobs, see and retry dead letters.
    OperateJobs,
    /// Create people and keys, and grant roles.
    ManageUsers,
    /// Register webhook endpoints, see and repeat what is delivered.
    ManageWebhooks,
}

impl Right {
    /// All of them, as they are documented.
    pub(crate) const ALL: [Self; 13] = [
        Self::Read,
        Self::Events,
        Self::Past,
        Self::Audit,
        Self::Operate,
        Self::Supervise,
        Self::Report,
        Self::Configure,
        Self::Inspect,
        Self::OperateProjections,
        Self::OperateJobs,
        Self::ManageUsers,
        Self::ManageWebhooks,
    ];

    /// Its name in errors and documents.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Events => "EVENTS",
            Self::Past => "PAST",
            Self::Audit => "AUDIT",
            Self::Operate => "OPERATE",
            Self::Supervise => "SUPERVISE",
            Self::Report => "REPORT",
            Self::Configure => "CONFIGURE",
            Self::Inspect => "INSPECT",
            Self::OperateProjections => "OPERATE_PROJECTIONS",
            Self::OperateJobs => "OPERATE_JOBS",
            Self::ManageUsers => "MANAGE_USERS",
            Self::ManageWebhooks => "MANAGE_WEBHOOKS",
        }
    }

    /// What whoever holds it may do: "may …".
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Read => "see what is at a site",
            Self::Events => "read the events of a site",
            Self::Past => "see what was, and what changed",
            Self::Audit => "see who did what, and what was refused",
            Self::Operate => "allocate stands, acknowledge alerts and confirm passes",
            Self::Supervise => "close stands, cancel flights and resolve alerts",
            Self::Report => "report flights, their aircraft and their turnarounds",
            Self::Configure => "set up sites, stands, rules and limits",
            Self::Inspect => "see how the installation does",
            Self::OperateProjections => "hold up, rebuild and verify read models, and skip events",
            Self::OperateJobs => "switch policies, run jobs, and see and retry dead letters",
            Self::ManageUsers => "create people and keys, and grant roles",
            Self::ManageWebhooks => "have events delivered to other systems, and see and repeat deliveries",
        }
    }

    /// Whether it is about the installation, of which no site is a part: held at a site alone, it allows nothing.
    pub(crate) fn is_of_installation(self) -> bool {
        match self {
            Self::Inspect | Self::OperateProjections | Self::OperateJobs | Self::ManageUsers => true,
            Self::Read
            | Self::Events
            | Self::Past
            | Self::Audit
            | Self::Operate
            | Self::Supervise
            | Self::Report
            | Self::Configure
            | Self::ManageWebhooks => false,
        }
    }
}
