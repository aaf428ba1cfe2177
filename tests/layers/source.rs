//! Sources → modules, and every path that stands in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use syn::{
    Attribute, Expr, ExprLit, Item, ItemMod, ItemUse, Lit, Macro, Meta, UseTree,
    spanned::Spanned,
    visit::{self, Visit},
};

use crate::tokens;

/// A module's path from the crate's root, which is the empty one.
pub(crate) type Name = Vec<String>;

/// Texts by path from the repository's root, as in `src/host/mod.rs`.
pub(crate) type Files = BTreeMap<String, String>;

/// A path as it stands in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) segments: Vec<String>,
    /// Begins with `::`, so with a crate.
    pub(crate) absolute: bool,
    pub(crate) line: usize,
}

/// A module, inline or a file of its own.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) file: String,
    /// Is, or is in, a module that only tests have.
    pub(crate) is_test: bool,
    pub(crate) children: BTreeSet<String>,
    /// What `use` brings in, by the name that it has here. Those of functions count as the
    /// module's.
    pub(crate) names: BTreeMap<String, Mention>,
    pub(crate) globs: Vec<Mention>,
    pub(crate) mentions: Vec<Mention>,
}

/// All modules of the crate.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) modules: BTreeMap<Name, Module>,
    pub(crate) crates: BTreeSet<String>,
}

impl Tree {
    /// The library, and the binary as a module `main` of it. `crates` are those that a path may
    /// begin with.
    pub(crate) fn read<'a>(files: &Files, crates: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tree = Self {
            crates: crates.into_iter().map(str::to_owned).collect(),
            ..Self::default()
        };
        Reader::new(files, &mut tree, vec![], "src/lib.rs").read();
        if files.contains_key("src/main.rs") {
            Reader::new(files, &mut tree, vec!["main".to_owned()], "src/main.rs").read();
        }
        tree
    }

    /// Modules below the root, by name.
    pub(crate) fn top_level(&self) -> Vec<&str> {
        let names = self.modules.keys();
        names
            .filter_map(|name| match &name[..] {
                [one] => Some(one.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// All files of `src`.
pub(crate) fn files(manifest: &Path) -> Files {
    let mut files = Files::new();
    let mut directories = vec![manifest.join("src")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).expect("a directory of src") {
            let path = entry.expect("an entry of src").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(manifest).expect("below the manifest");
                let text = fs::read_to_string(&path).expect("a source");
                files.insert(name.to_str().expect("UTF-8").to_owned(), text);
            }
        }
    }
    files
}

/// Reads a file and the modules that it declares.
struct Reader<'a> {
    files: &'a Files,
    tree: &'a mut Tree,
    at: Name,
    file: String,
    /// Where files of modules that are declared here are.
    directory: String,
    is_test: bool,
}

impl<'a> Reader<'a> {
    fn new(files: &'a Files, tree: &'a mut Tree, at: Name, file: &str) -> Self {
        let parent = file.rsplit_once('/').map_or("", |(parent, _)| parent);
        let owns_its_directory = ["/mod.rs", "/lib.rs", "/main.rs"];
        let directory = match owns_its_directory.iter().any(|end| file.ends_with(end)) {
            true => parent.to_owned(),
            false => file.trim_end_matches(".rs").to_owned(),
        };
        Self {
            files,
            tree,
            at,
            file: file.to_owned(),
            directory,
            is_test: false,
        }
    }

    fn read(mut self) {
        let text = self
            .files
            .get(&self.file)
            .unwrap_or_else(|| panic!("no file {}", self.file));
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", self.file));
        self.items(&parsed.items);
    }

    fn items(&mut self, items: &[Item]) {
        let (file, is_test) = (self.file.clone(), self.is_test);
        let module = self.module();
        (module.file, module.is_test) = (file, is_test);
        for item in items {
            self.visit_item(item);
        }
    }

    fn module(&mut self) -> &mut Module {
        self.tree.modules.entry(self.at.clone()).or_default()
    }

    fn mention(&mut self, segments: Vec<String>, absolute: bool, line: usize) {
        self.module().mentions.push(Mention {
            segments,
            absolute,
            line,
        });
    }

    fn inline(&mut self, child: &str, items: &[Item]) {
        let outer = self.directory.clone();
        self.directory = format!("{outer}/{child}");
        self.at.push(child.to_owned());
        self.items(items);
        self.at.pop();
        self.directory = outer;
    }

    fn file(&mut self, child: &str, path: Option<String>) {
        let beside = self.file.rsplit_once('/').map_or("", |(parent, _)| parent);
        let here = &self.directory;
        let candidates = match path {
            Some(path) => vec![format!("{beside}/{path}")],
            None => vec![
                format!("{here}/{child}.rs"),
                format!("{here}/{child}/mod.rs"),
            ],
        };
        let file = candidates
            .iter()
            .find(|file| self.files.contains_key(*file));
        let file = file.unwrap_or_else(|| panic!("{}: no file for mod {child}", self.file));
        let mut at = self.at.clone();
        at.push(child.to_owned());
        let mut reader = Reader::new(self.files, self.tree, at, file);
        reader.is_test = self.is_test;
        reader.read();
    }

    /// Every leaf of a tree of `use`, with what comes before it.
    fn leaves(&mut self, tree: &UseTree, before: &[String], absolute: bool) {
        let line = tree.span().start().line;
        let with = |last: String| [before, &[last]].concat();
        match tree {
            UseTree::Path(path) => {
                self.leaves(&path.tree, &with(path.ident.to_string()), absolute);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.leaves(tree, before, absolute);
                }
            }
            UseTree::Glob(_) => self.glob(Mention {
                segments: before.to_vec(),
                absolute,
                line,
            }),
            UseTree::Name(name) => {
                let segments = without_self(with(name.ident.to_string()));
                let known = segments.last().cloned().unwrap_or_default();
                self.import(
                    known,
                    Mention {
                        segments,
                        absolute,
                        line,
                    },
                );
            }
            UseTree::Rename(name) => {
                let segments = without_self(with(name.ident.to_string()));
                self.import(
                    name.rename.to_string(),
                    Mention {
                        segments,
                        absolute,
                        line,
                    },
                );
            }
        }
    }

    fn glob(&mut self, mention: Mention) {
        self.module().globs.push(mention.clone());
        self.module().mentions.push(mention);
    }

    fn import(&mut self, known: String, mention: Mention) {
        self.module().names.insert(known, mention.clone());
        self.module().mentions.push(mention);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let child = item.ident.to_string();
        self.module().children.insert(child.clone());
        let outer = self.is_test;
        self.is_test |= item.attrs.iter().any(is_cfg_test);
        match &item.content {
            Some((_, items)) => self.inline(&child, items),
            None => self.file(&child, path_of(&item.attrs)),
        }
        self.is_test = outer;
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.leaves(&item.tree, &[], item.leading_colon.is_some());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<_> = path
            .segments
            .iter()
            .map(|one| one.ident.to_string())
            .collect();
        if segments.len() > 1 {
            let line = path.span().start().line;
            self.mention(segments, path.leading_colon.is_some(), line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.visit_path(&item.path);
        self.module()
            .mentions
            .extend(tokens::paths(item.tokens.clone()));
    }

    /// Derives and the functions named to serde; not the links of documentation.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        if let Meta::List(list) = &attribute.meta {
            let found = tokens::paths(list.tokens.clone()).into_iter();
            let found = found.chain(tokens::quoted(list.tokens.clone()));
            self.module().mentions.extend(found);
        }
        visit::visit_attribute(self, attribute);
    }
}

/// `#[cfg(test)]`.
fn is_cfg_test(attribute: &Attribute) -> bool {
    let word = attribute.parse_args::<syn::Ident>();
    attribute.path().is_ident("cfg") && word.is_ok_and(|word| word == "test")
}

/// `use a::{self}` is `use a`.
fn without_self(mut segments: Vec<String>) -> Vec<String> {
    if segments.len() > 1 {
        segments.pop_if(|last| last == "self");
    }
    segments
}

/// `#[path = "…"]`.
fn path_of(attributes: &[Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                Expr::Lit(ExprLit {
                    lit: Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
}
