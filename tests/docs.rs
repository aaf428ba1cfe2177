//! Documents that follow the repository: paths that exist, lines that can be reviewed, one version
//! of Rust.

use std::{fs, path::Path};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect(path)
}

/// The documents at the top and in `docs`, by path.
fn documents() -> Vec<(String, String)> {
    let directories = ["", "docs", "docs/decisions"].into_iter();
    let files = directories.flat_map(|directory| {
        let entries = fs::read_dir(root().join(directory)).expect(directory);
        entries.map(move |entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            Path::new(directory).join(name).to_str().unwrap().to_owned()
        })
    });
    let mut pages: Vec<_> = files.filter(|path| path.ends_with(".md")).collect();
    pages.sort();
    let with_text = |path: String| (path.clone(), text(&path));
    pages.into_iter().map(with_text).collect()
}

/// Lines outside fenced blocks, with their numbers.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(page.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// What is between backquotes and looks like a path from the repository's root. With `*`, `…` or
/// capitals it stands for many files and is not checked.
fn quoted_paths(line: &str) -> impl Iterator<Item = &str> {
    const TOP: [&str; 9] = [
        "src/",
        "e2e/",
        "docs/",
        "charts/",
        "deployments/",
        "proto/",
        "cdi/",
        "tests/",
        ".ci/",
    ];
    let literal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-./".contains(c);
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(move |path| {
        TOP.iter().any(|top| path.starts_with(top)) && path.chars().all(literal)
    })
}

/// Targets of links to files, relative to the page.
fn linked_paths(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|file| !file.is_empty() && !file.contains("://"))
}

#[test]
fn every_path_in_the_documents_exists() {
    let mut missing = vec![];
    let pages = documents().into_iter();
    // History names files that are gone.
    for (page, text) in pages.filter(|(page, _)| page != "CHANGELOG.md") {
        let directory = root().join(&page).parent().unwrap().to_owned();
        for (number, line) in prose(&text) {
            let quoted = quoted_paths(line).map(|path| (root().join(path), path));
            let linked = linked_paths(line).map(|path| (directory.join(path), path));
            let absent = quoted.chain(linked).filter(|(file, _)| !file.exists());
            missing.extend(absent.map(|(_, path)| format!("{page}:{number}: {path}")));
        }
    }
    assert!(missing.is_empty(), "no such file:\n{}", missing.join("\n"));
}

/// Tables, code, and lines with a code span or a link, which cannot always be broken, may be
/// longer.
#[test]
fn prose_is_wrapped_at_100_columns() {
    let is_long = |line: &str| {
        let free = ["|", "    "].iter().any(|start| line.starts_with(start));
        let unbreakable = ["`", "]("].iter().any(|part| line.contains(part));
        line.chars().count() > 100 && !free && !unbreakable
    };
    let mut long = vec![];
    for (page, text) in documents() {
        let lines = prose(&text).filter(|(_, line)| is_long(line));
        long.extend(lines.map(|(number, _)| format!("{page}:{number}")));
    }
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

/// Cargo refuses to build with a compiler older than `rust-version`, and the image's compiler is
/// set in its own file.
#[test]
fn one_version_of_rust_everywhere() {
    let manifest = text("Cargo.toml");
    let mut lines = manifest.lines();
    let version = lines.find_map(|line| line.strip_prefix("rust-version = "));
    let version = version
        .expect("rust-version in Cargo.toml")
        .trim_matches('"');
    for (file, expected) in [
        ("deployments/Dockerfile", format!("\nARG RUST={version}\n")),
        (".ci/run", format!("Rust {version} or newer")),
        ("CONTRIBUTING.md", format!("Rust {version} or newer")),
    ] {
        let found = text(file).contains(&expected);
        assert!(found, "{file} does not have {expected:?}");
    }
}
