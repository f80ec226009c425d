//! What `vigie serve` says when it is ready: where to go and what to try.

use std::net::SocketAddr;

/// The text for standard output; `demo` tells what the demo day offers.
pub(super) fn greeting(address: SocketAddr, demo: bool) -> String {
    let mut text = format!(
        "\nVigie is ready.\n\n  GraphiQL   http://{address}/graphql\n  Health     http://{address}/health\n  \
         Metrics    http://{address}/metrics\n"
    );
    if demo {
        text.push_str(
            "\nThe demo plays at LFW (Lomé, 17 stands) and SANGATTE (train passes). To try, in the tabs of GraphiQL:\n  \
             1. give a flight a stand      mutation allocateStand\n  \
             2. acknowledge an alert       mutation acknowledgeAlert\n  \
             3. confirm a train pass       mutation confirmPass\n  \
             4. watch it happen            subscription events, standChanged, alertChanged, passChanged\n  \
             5. ask who did it             query auditTrail\n\
             In another terminal: target/debug/vigie events tail\n",
        );
    }
    text.push_str("\nCtrl-C stops everything; the log is kept.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::greeting;

    #[test]
    fn the_greeting_names_the_address_and_the_demo_when_it_plays() {
        let address = "127.0.0.1:8080".parse().unwrap();
        assert!(greeting(address, false).contains("http://127.0.0.1:8080/graphql"));
        assert!(!greeting(address, false).contains("demo"));
        assert!(greeting(address, true).contains("confirmPass"));
    }
}
