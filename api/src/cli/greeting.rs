//! What `vigie serve` says when it is ready: where to go and what to try.

use std::path::Path;

use super::users::link_to;
use crate::demo::accounts::DemoAccounts;

/// The text for standard output; `data` is where the private Postgres lives, `demo` tells what the demo day offers, and
/// `accounts` who can sign in to it.
pub(super) fn greeting(url: &str, data: Option<&Path>, demo: bool, accounts: Option<&DemoAccounts>) -> String {
    let mut text = format!(
        "\nVigie is ready.\n\n  GraphiQL   {url}/graphql\n  Health     {url}/health\n  \
         Metrics    {url}/metrics\n"
    );
    if let Some(data) = data {
        text.push_str(&format!("  Data       {}\n", data.display()));
    }
    if let Some(accounts) = accounts {
        text.push_str(&sign_in(url, accounts));
    }
    if demo {
        let program = std::env::current_exe().map_or_else(|_| "vigie".to_owned(), |path| path.display().to_string());
        text.push_str(
            "\nThe demo plays at LFW (Lomé, 17 stands) and SANGATTE (train passes). To try, in the tabs of GraphiQL:\n  \
             1. give a flight a stand      mutation allocateStand\n  \
             2. acknowledge an alert       mutation acknowledgeAlert\n  \
             3. confirm a train pass       mutation confirmPass\n  \
             4. watch it happen            subscription events, standChanged, alertChanged, passChanged\n  \
             5. ask who did it             query auditTrail\n",
        );
        text.push_str(&format!("In another terminal: {program} events tail\n"));
    }
    text.push_str("\nCtrl-C stops everything; the log is kept.\n");
    text
}

/// Who can sign in to the demo, each role and all of them at once.
fn sign_in(url: &str, accounts: &DemoAccounts) -> String {
    let mut text = match &accounts.link {
        Some(link) => format!("\nSign in with every role, once: {}\nor as one of\n", link_to(url, link)),
        None => "\nSign in as one of\n".to_owned(),
    };
    for (username, password) in &accounts.roles {
        text.push_str(&format!("  {username:<12} {}\n", password.show()));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::greeting;

    #[test]
    fn the_greeting_names_the_address_and_the_demo_when_it_plays() {
        let url = "http://127.0.0.1:8080";
        assert!(greeting(url, None, false, None).contains("http://127.0.0.1:8080/graphql"));
        assert!(!greeting(url, None, false, None).contains("demo"));
        assert!(greeting(url, Some(Path::new("/data")), true, None).contains("confirmPass"));
    }
}
