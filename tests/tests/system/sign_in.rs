//! Sign-in through another system: the built program, and a real OpenID Connect provider.

use std::net::TcpListener;
use std::process::Stdio;

use tokio::process::Command;

use crate::browser::person;
use crate::client::Server;
use crate::clients::{folder, script};
use crate::harness::{Place, Running};

/// An address that nobody listens on. Both sides have to know the server's before it is there.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The provider, and the address at which it is.
async fn provider(server: &str) -> (Running, String) {
    let mut command = Command::new("node");
    command.args(["provider.mjs", server]).current_dir(folder()).kill_on_drop(true);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut running = Running::of(child);
    let address = running
        .says("its address", |said| Some(said.lines().find_map(|line| line.strip_prefix("provider: "))?.to_owned()));
    let address = address.await;
    (running, address)
}

/// An API key that may do everything.
async fn key(place: &Place) -> String {
    let said = place.succeed(["keys", "issue", "test", "--role", "admin"]).await;
    said.lines().find_map(|line| line.strip_prefix("key  ")).unwrap_or_else(|| panic!("{said}")).to_owned()
}

/// A server whose people sign in through a provider, an API key that may do everything there, and the provider.
struct Signing {
    url: String,
    issuer: String,
    key: String,
    _place: Place,
    _server: Server,
    _provider: Running,
}

impl Signing {
    async fn start() -> Self {
        let address = free_address();
        let url = format!("http://{address}");
        let (provider, issuer) = provider(&url).await;
        let place = Place::new()
            .with("VIGIE_OPEN", "false")
            .with("VIGIE_LISTEN", &address)
            .with("VIGIE_PUBLIC_URL", &url)
            .with("VIGIE_OIDC_ISSUER", &issuer)
            .with("VIGIE_OIDC_CLIENT_ID", "vigie")
            .with("VIGIE_OIDC_CLIENT_SECRET", "a secret: with signs & blanks / +%")
            .with("VIGIE_OIDC_ROLES", "/lfw/operators=operator@LFW; /it=viewer; /nowhere=admin@NOWHERE")
            .with("VIGIE_OIDC_SESSION_MINUTES", "30")
            .with("VIGIE_SIGN_IN_ATTEMPTS", "1000");
        place.succeed(["demo", "--site-only"]).await;
        let key = key(&place).await;
        let server = Server::start(&place).await;
        Self { url, issuer, key, _place: place, _server: server, _provider: provider }
    }
}

#[tokio::test]
async fn people_sign_in_through_a_provider_and_out() {
    let signing = Signing::start().await;
    script("node", &["oidc.mjs", &signing.url, &signing.issuer, &signing.key]).await;
}

#[tokio::test]
async fn a_browser_takes_its_session_along_from_the_provider() {
    let signing = Signing::start().await;
    person(&["sign-in.mjs", &signing.url]).await;
}
