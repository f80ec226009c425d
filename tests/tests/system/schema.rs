//! `vigie schema`: what the schema breaks for documents that clients have.

use std::fs;

use crate::harness::{Place, text};

#[tokio::test]
async fn what_the_schema_breaks_is_listed_with_its_place() {
    let place = Place::new();
    let folder = place.path().join("documents");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("fine.graphql"), "query($first: Int) { stands(first: $first) { nodes { id code } } }\n")
        .unwrap();
    let check = ["schema", "check", "--documents", "documents"];
    assert_eq!(place.succeed(check).await, "1 documents, nothing is broken\n");

    fs::write(folder.join("gone.graphql"), "{\n  head\n  nonsense\n}\n").unwrap();
    let output = place.run(check).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).starts_with("documents/gone.graphql:3:3: Unknown field \"nonsense\""), "{}", text(&output));
    fs::remove_file(folder.join("gone.graphql")).unwrap();

    // A release in which a stand might have had no code, and its list another argument.
    let now = place.succeed(["schema"]).await;
    fs::write(place.path().join("now.graphql"), &now).unwrap();
    let since = |file: &'static str| [&check[..], &["--since", file]].concat();
    assert_eq!(place.succeed(since("now.graphql")).await, "1 documents, nothing is broken\n");
    let stand = now.find("type Stand {").expect("stands are in the schema");
    let was = now[stand..].replacen("\tcode: CodeLetter!", "\tcode: String!", 1);
    assert_ne!(was, now[stand..], "a stand has a code");
    fs::write(place.path().join("was.graphql"), format!("{}{was}", &now[..stand])).unwrap();
    let output = place.run(since("was.graphql")).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let told = "documents/fine.graphql:1:57: Stand.code was String!, is CodeLetter!\n";
    assert_eq!(text(&output), told);

    let output = place.run(["schema", "check"]).await;
    assert!(!output.status.success() && text(&output).contains("--documents or VIGIE_DOCUMENTS"), "{}", text(&output));
}

#[tokio::test]
async fn documents_that_cannot_be_served_stop_the_start() {
    for (variables, told) in [
        (&[("VIGIE_DOCUMENTS", "nowhere")][..], "nowhere cannot be read"),
        (&[("VIGIE_DOCUMENTS_ONLY", "true")][..], "VIGIE_DOCUMENTS_ONLY needs VIGIE_DOCUMENTS"),
    ] {
        let place = variables.iter().fold(Place::new(), |place, (name, value)| place.with(name, value));
        let output = place.run(["serve"]).await;
        assert!(!output.status.success() && text(&output).contains(told), "{}", text(&output));
        assert!(!place.data().exists(), "nothing is begun");
    }
}
