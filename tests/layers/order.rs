//! The order, as `lib.rs` and the documentation have it.

use crate::{
    report::{self, Wrong},
    resolve::{Link, Target},
    source::Tree,
};

/// Bands with their modules, lowest first.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) bands: Vec<(String, Vec<String>)>,
}

impl Order {
    /// The table in `lib.rs`: `| band | [`module`] | … |`, the band's name in its first row only.
    pub(crate) fn of_library(text: &str) -> Self {
        let mut order = Self { bands: vec![] };
        for line in text.lines() {
            let Some(row) = line.strip_prefix("//! | ") else {
                continue;
            };
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let [band, modules, ..] = cells[..] else {
                continue;
            };
            order.add(band.trim_matches('*'), quoted(modules));
        }
        order
    }

    /// The block below `## Layers`: a line per band, its modules after two spaces or more.
    pub(crate) fn of_documentation(text: &str) -> Self {
        let section = text
            .split("\n## ")
            .find(|section| section.starts_with("Layers\n"));
        let block = section.and_then(|section| section.split("```").nth(1));
        let lines = block.unwrap_or_default().lines().map(str::trim);
        let mut order = Self { bands: vec![] };
        for line in lines.filter(|line| !line.is_empty()) {
            let (band, modules) = line.split_once("  ").unwrap_or((line, ""));
            order.add(band, modules.split_whitespace().map(module).collect());
        }
        order
    }

    fn add(&mut self, band: &str, modules: Vec<String>) {
        match self.bands.last_mut() {
            _ if modules.is_empty() => {}
            Some((_, known)) if band.is_empty() => known.extend(modules),
            _ => self.bands.push((band.to_owned(), modules)),
        }
    }

    /// All modules, lowest first.
    pub(crate) fn names(&self) -> Vec<&str> {
        let modules = self.bands.iter().flat_map(|(_, modules)| modules);
        modules.map(String::as_str).collect()
    }

    /// The modules that `importer` may import; all where it has no place, which is another test's.
    pub(crate) fn before(&self, importer: &str) -> Vec<&str> {
        let modules = self.names().into_iter();
        modules.take_while(|module| *module != importer).collect()
    }

    /// The band of a module.
    pub(crate) fn band(&self, module: &str) -> &str {
        let holds = |modules: &[String]| modules.iter().any(|name| name == module);
        let band = self.bands.iter().find(|(_, modules)| holds(modules));
        band.map_or("no band", |(name, _)| name)
    }

    /// Imports of modules that come later.
    pub(crate) fn violations(&self, tree: &Tree) -> Vec<String> {
        report::lines(tree.links().filter_map(|link| self.violation(link)))
    }

    fn violation<'a>(&self, link: Link<'a>) -> Option<Wrong<'a>> {
        let Some(Target::Inside(name)) = link.outside() else {
            return None;
        };
        let (importer, imported) = (link.top(), name[0].as_str());
        let before = self.before(importer);
        if before.contains(&imported) || !self.names().contains(&imported) {
            return None;
        }
        let (from, to) = (self.band(importer), self.band(imported));
        let text = format!(
            "{importer} ({from}) imports {imported} ({to}); it may import: {}",
            before.join(" ")
        );
        Some((link.file, text, link.line))
    }
}

/// Names between backquotes.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(module).collect()
}

/// `main.rs` is in the table as a file.
fn module(name: &str) -> String {
    name.trim_end_matches(".rs").to_owned()
}
