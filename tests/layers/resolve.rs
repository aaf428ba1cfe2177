//! What a path names: a module of this crate, or another crate.

use crate::source::{Mention, Name, Tree};

/// Deeper than any chain of `use` that is not a circle.
const DEEP: usize = 16;

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Something of this crate. What follows the last module is an item of it.
    Inside(Name),
    /// Another crate.
    Crate(String),
}

/// A path of a module that leads somewhere.
#[derive(Debug)]
pub(crate) struct Link<'a> {
    pub(crate) at: &'a Name,
    pub(crate) file: &'a str,
    pub(crate) line: usize,
    /// Station by station: what the path says first, and last what it means after every `use` on
    /// its way.
    pub(crate) stations: Vec<Target>,
}

impl Link<'_> {
    /// Where, as an editor opens it.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// The module below the root that the path is in.
    pub(crate) fn top(&self) -> &str {
        self.at.first().map_or("lib", String::as_str)
    }

    /// The first station that is not in the same module below the root.
    pub(crate) fn outside(&self) -> Option<&Target> {
        self.stations.iter().find(|target| match target {
            Target::Inside(name) => name.first().is_some_and(|top| top != self.top()),
            Target::Crate(_) => true,
        })
    }
}

impl Tree {
    /// Every path of every module that leads to a module or crate.
    pub(crate) fn links(&self) -> impl Iterator<Item = Link<'_>> {
        self.modules.iter().flat_map(move |(at, module)| {
            module.mentions.iter().filter_map(move |mention| {
                let stations = self.stations(at, mention, DEEP);
                let (file, line) = (&*module.file, mention.line);
                (!stations.is_empty()).then_some(Link {
                    at,
                    file,
                    line,
                    stations,
                })
            })
        })
    }

    /// The module that an item is in, or that a name is.
    pub(crate) fn module_of<'a>(&self, name: &'a [String]) -> &'a [String] {
        let mut length = name.len();
        while !self.modules.contains_key(&name[..length]) {
            length -= 1;
        }
        &name[..length]
    }

    fn stations(&self, at: &[String], mention: &Mention, deep: usize) -> Vec<Target> {
        let Some((first, rest)) = mention.segments.split_first() else {
            return vec![];
        };
        match &**first {
            _ if deep == 0 => vec![],
            name if mention.absolute => vec![Target::Crate(name.to_owned())],
            "crate" | "sriov_dra" => self.walk(vec![], rest, deep),
            "self" => self.walk(at.to_vec(), rest, deep),
            "super" => self.up(at, rest, deep),
            name if self.has(at, name, deep) => self.walk(at.to_vec(), &mention.segments, deep),
            name if self.crates.contains(name) => vec![Target::Crate(name.to_owned())],
            _ => vec![],
        }
    }

    fn up(&self, at: &[String], rest: &[String], deep: usize) -> Vec<Target> {
        let Some((_, parent)) = at.split_last() else {
            return vec![];
        };
        match rest.split_first() {
            Some((first, rest)) if first == "super" => self.up(parent, rest, deep),
            _ => self.walk(parent.to_vec(), rest, deep),
        }
    }

    /// From a module along names of children, and through what `use` makes of a name.
    fn walk(&self, mut from: Name, names: &[String], deep: usize) -> Vec<Target> {
        for (index, name) in names.iter().enumerate() {
            let import = self.import(&from, name, deep);
            from.push(name.clone());
            if let Some((owner, import)) = import {
                let rest = [&import.segments[..], &names[index + 1..]].concat();
                let further = Mention {
                    segments: rest,
                    ..import
                };
                let mut stations = vec![Target::Inside(from)];
                stations.extend(self.stations(&owner, &further, deep - 1));
                return stations;
            }
        }
        vec![Target::Inside(from)]
    }

    fn has(&self, at: &[String], name: &str, deep: usize) -> bool {
        let module = self.modules.get(at);
        module.is_some_and(|module| module.children.contains(name))
            || self.import(at, name, deep).is_some()
    }

    /// The `use` by which a module has a name, and the module that it stands in: another one if a
    /// glob took it in.
    fn import(&self, at: &[String], name: &str, deep: usize) -> Option<(Name, Mention)> {
        let module = self.modules.get(at)?;
        if module.children.contains(name) || deep == 0 {
            return None;
        }
        // `use anyhow::anyhow;` does not say what the first `anyhow` is.
        let import = module.names.get(name);
        if let Some(import) = import.filter(|import| import.segments[0] != name) {
            return Some((at.to_vec(), import.clone()));
        }
        module
            .globs
            .iter()
            .find_map(|glob| self.through(at, glob, name, deep - 1))
    }

    /// The same by a glob. One that begins with a name which is itself of a glob is not followed:
    /// to ask the globs of a module where they lead would not end.
    fn through(
        &self,
        at: &[String],
        glob: &Mention,
        name: &str,
        deep: usize,
    ) -> Option<(Name, Mention)> {
        let (module, first) = (self.modules.get(at)?, glob.segments.first()?);
        let is_word = ["crate", "self", "super"].contains(&&**first);
        if !is_word && !module.children.contains(first) && !module.names.contains_key(first) {
            return None;
        }
        let Some(Target::Inside(of)) = self.stations(at, glob, deep).pop() else {
            return None;
        };
        if self.modules.get(&of)?.children.contains(name) {
            let segments = vec!["self".to_owned(), name.to_owned()];
            let child = Mention {
                segments,
                ..glob.clone()
            };
            return Some((of, child));
        }
        self.import(&of, name, deep)
    }
}
