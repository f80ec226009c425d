//! Embeds the GraphiQL page that `make ui` builds into `ui/dist`. Without it the program is built all the same, and
//! the page says how to get it.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
    println!("cargo::rerun-if-changed=build.rs");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets the crate's folder");
    let dist = Path::new(&root).join("ui/dist");
    let mut names: Vec<String> = fs::read_dir(&dist)
        .map(|files| files.flatten().filter_map(|file| file.file_name().into_string().ok()).collect())
        .unwrap_or_default();
    names.sort();
    let path = |name: &str| dist.join(name).display().to_string();
    let mut code = match names.iter().any(|name| name == "page.html") {
        true => format!("const PAGE: Option<&str> = Some(include_str!({:?}));\n", path("page.html")),
        false => "const PAGE: Option<&str> = None;\n".to_owned(),
    };
    code.push_str("const FILES: &[File] = &[\n");
    for (name, served) in names.iter().filter_map(|name| Some((name, name.strip_suffix(".gz")?))) {
        writeln!(code, "    File {{ name: {served:?}, content: include_bytes!({:?}) }},", path(name))
            .expect("writing to a text cannot fail");
    }
    code.push_str("];\n");
    let out = env::var("OUT_DIR").expect("cargo sets the folder for generated code");
    fs::write(Path::new(&out).join("ui.rs"), code).expect("the generated code can be written");
}
