//! What facts about webhook endpoints say.

use vigie_domain::webhooks::{DisableReason, EndpointId, EndpointSettings, WebhookEvent};

use super::told::{Told, is};

pub(super) fn describe(event: &WebhookEvent) -> Told {
    match event {
        WebhookEvent::EndpointRegistered(e) => {
            let mut told = settings(format!("registered webhook endpoint {}", e.endpoint), e.endpoint, &e.settings);
            if let Some((_, fields)) = told.sets.last_mut() {
                fields.push(("state".to_owned(), is("enabled")));
            }
            told
        }
        WebhookEvent::EndpointChanged(e) => {
            settings(format!("changed webhook endpoint {}", e.endpoint), e.endpoint, &e.settings)
        }
        WebhookEvent::EndpointDisabled(e) => {
            let why = match e.reason {
                DisableReason::Operator => "",
                DisableReason::Gone => "its receiver says that it is gone for good",
                DisableReason::Failing => "nothing has gone through for days",
            };
            state("disabled", e.endpoint).note(why)
        }
        WebhookEvent::EndpointEnabled(e) => state("enabled", e.endpoint),
        WebhookEvent::EndpointRemoved(e) => state("removed", e.endpoint),
        WebhookEvent::SecretRotated(e) => {
            Told::new(format!("replaced the {} secret of webhook endpoint {}", e.secret.kind.as_str(), e.endpoint))
                .set(e.endpoint.tag(), [(&format!("{} secret", e.secret.kind.as_str()), is(e.secret.id))])
        }
    }
}

fn state(done: &str, endpoint: EndpointId) -> Told {
    Told::new(format!("{done} webhook endpoint {endpoint}")).set(endpoint.tag(), [("state", is(done))])
}

fn settings(action: String, endpoint: EndpointId, settings: &EndpointSettings) -> Told {
    let EndpointSettings { description, target, filter, ordering, on_exhaustion, rate, timeout, retries, headers } =
        settings;
    Told::new(action).set(
        endpoint.tag(),
        [
            ("description", is(description)),
            ("url", is(&target.url)),
            ("query", is(target.query)),
            ("types", is(&filter.types)),
            ("tags", is(&filter.tags)),
            ("ordering", is(ordering)),
            ("on_exhaustion", is(on_exhaustion)),
            ("rate", is(rate)),
            ("timeout", is(timeout)),
            ("retries", is(retries)),
            ("headers", is(&headers.names)),
            ("header_values", is(headers.values)),
        ],
    )
}
