//! What each role may do.

use vigie_domain::identity::Role;

use super::held::Set;
use super::{Right, Rights};

/// The rights of a role.
pub(crate) const fn of(role: Role) -> Set {
    use Right::{
        Audit, Configure, Events, Inspect, ManageUsers, ManageWebhooks, Operate, OperateJobs, OperateProjections, Past,
        Read, Report, Supervise,
    };
    match role {
        Role::Viewer => Set::of(&[Read]),
        Role::Operator => Set::of(&[Read, Operate, Report]),
        Role::Supervisor => Set::of(&[Read, Events, Past, Audit, Operate, Supervise, Report]),
        Role::Auditor => Set::of(&[Read, Events, Past, Audit, Inspect]),
        Role::Analyst => Set::of(&[Read, Events, Past, Inspect, OperateProjections]),
        Role::Integrator => Set::of(&[Read, Events, Report, ManageWebhooks]),
        Role::Admin => Set::of(&[
            Read,
            Events,
            Past,
            Audit,
            Configure,
            Inspect,
            OperateProjections,
            OperateJobs,
            ManageUsers,
            ManageWebhooks,
        ]),
    }
}

impl Rights {
    /// Those of roles, each everywhere or at a site.
    pub(crate) fn of<'a>(grants: impl IntoIterator<Item = &'a vigie_domain::identity::Grant>) -> Self {
        let add = |rights: Self, grant: &vigie_domain::identity::Grant| {
            rights.with(of(grant.role), grant.site.as_ref().map(vigie_domain::support::SiteId::as_str))
        };
        grants.into_iter().fold(Self::default(), add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_sees_its_site_and_every_right_is_of_some_role() {
        for role in Role::ALL {
            assert!(of(role).contains(Right::Read), "{role}");
        }
        for right in Right::ALL {
            assert!(Role::ALL.into_iter().any(|role| of(role).contains(right)), "{right:?}");
        }
    }

    #[test]
    fn roles_add_up_each_where_it_is_held() {
        let grants = ["viewer", "operator@LFW", "auditor@HKG"].map(|text| text.parse().unwrap());
        let rights = Rights::of(&grants);
        assert!(rights.hold_at(Right::Operate, "LFW") && !rights.hold_at(Right::Operate, "HKG"));
        assert!(rights.hold_at(Right::Audit, "HKG") && !rights.hold_at(Right::Audit, "LFW"));
        assert!(rights.hold_at(Right::Read, "ANY"));
    }
}
