use crate::cni::netconf::{FIELDS, Source};

const PAGE: &str = include_str!("../../../../docs/cni.md");

/// The rows of a section, without the head.
fn rows(title: &str) -> Vec<&'static str> {
    let mut sections = PAGE.split("\n## ");
    let section = sections.find(|section| section.starts_with(&format!("{title}\n")));
    let lines = section.expect(title).lines();
    lines.filter(|line| line.starts_with("| `")).collect()
}

#[test]
fn the_documentation_has_every_field_and_no_other() {
    for source in Source::ALL {
        let fields = FIELDS.iter().filter(|field| field.source == source);
        let expected: Vec<String> = fields.map(|field| field.row()).collect();
        assert_eq!(rows(source.title()), expected, "{source:?}");
        assert!(!expected.is_empty());
    }
}

#[test]
fn every_field_says_how_it_compares() {
    for field in FIELDS {
        let here = field.here;
        let said = here == "same"
            || ["same: ", "same, ", "better: ", "not there: "]
                .iter()
                .any(|start| here.starts_with(start));
        assert!(said, "{}: {here}", field.name);
    }
}
