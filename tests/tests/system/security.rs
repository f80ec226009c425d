//! What `docs/security.md` says is shown by a test is shown by one.

use std::fs;

use crate::harness::root;

#[test]
fn every_test_that_the_page_names_exists() {
    let page = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let named = page.split('`').filter_map(|text| text.split_once("::")).filter(|(file, _)| file.ends_with(".rs"));
    let mut count = 0;
    for (file, function) in named {
        let text = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&format!("fn {function}(")), "{file} has no {function}");
        count += 1;
    }
    assert!(count > 40, "only {count} tests are named");
}
