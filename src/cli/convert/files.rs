//! Reads the inputs. One that cannot be read is an input all the same, with the reason.

use std::{
    fs, io,
    io::Read,
    path::{Path, PathBuf},
};

use crate::convert::{self, Input};

/// Endings of the files of a directory that are read, as for kubectl.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// All inputs. Directories are read with everything in them.
pub(super) fn inputs(files: &[PathBuf]) -> Vec<Input> {
    let mut all = Vec::new();
    for file in files {
        match file.is_dir() {
            true => named_directory(file, &mut all),
            false => all.push(input(file, false)),
        }
    }
    all
}

/// One without such files is more often a typing error than meant.
fn named_directory(directory: &Path, all: &mut Vec<Input>) {
    let before = all.len();
    self::directory(directory, all);
    if all.len() == before {
        let what = "no *.yaml, *.yml or *.json file in it";
        all.push(broken(directory, &io::Error::other(what)));
    }
}

fn directory(directory: &Path, all: &mut Vec<Input>) {
    let mut entries: Vec<PathBuf> = match fs::read_dir(directory) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) => return all.push(broken(directory, &error)),
    };
    entries.sort();
    for entry in entries {
        let hidden = entry
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let ending = entry.extension().and_then(|ending| ending.to_str());
        // Not what a link to a directory leads to: it can lead back.
        let is_directory = entry.is_dir() && !entry.is_symlink();
        match (hidden, is_directory) {
            (true, _) => {}
            (_, true) => self::directory(&entry, all),
            _ if ending.is_some_and(|ending| ENDINGS.contains(&ending)) && entry.is_file() => {
                all.push(input(&entry, true));
            }
            _ => {}
        }
    }
}

fn input(file: &Path, found: bool) -> Input {
    match text(file) {
        Ok(text) => Input {
            file: file.display().to_string(),
            text: Ok(text),
            found,
        },
        Err(error) => broken(file, &error),
    }
}

/// The content of a file; `-` is standard input.
pub(in crate::cli) fn text(file: &Path) -> io::Result<String> {
    if file != Path::new("-") {
        return convert::text(fs::read(file)?);
    }
    let mut content = Vec::new();
    io::stdin().read_to_end(&mut content)?;
    convert::text(content)
}

fn broken(file: &Path, error: &io::Error) -> Input {
    Input {
        file: file.display().to_string(),
        text: Err(error.to_string()),
        found: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_read_with_everything_in_it() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            crate::files::write_atomic(&file, b"a: 1", 0o644).unwrap();
        };
        for name in ["b.yaml", "a/c.yml", "a/d.json", "e.md", ".git/f.yaml"] {
            write(name);
        }
        std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).unwrap();
        let empty = tempfile::tempdir().unwrap();
        let [of_empty] = &inputs(&[empty.path().to_owned()])[..] else {
            panic!("an empty directory is an input");
        };
        assert_eq!(
            of_empty.text,
            Err("no *.yaml, *.yml or *.json file in it".to_owned())
        );
        let inputs = inputs(&[root.path().to_owned(), root.path().join("none.yaml")]);
        let name = |input: &Input| {
            let file = Path::new(&input.file);
            let file = file.strip_prefix(root.path()).unwrap();
            (file.display().to_string(), input.text.is_ok(), input.found)
        };
        let names: Vec<(String, bool, bool)> = inputs.iter().map(name).collect();
        let found = |name: &str| (name.to_owned(), true, true);
        assert_eq!(
            names,
            [
                found("a/c.yml"),
                found("a/d.json"),
                found("b.yaml"),
                ("none.yaml".to_owned(), false, false)
            ]
        );
    }
}
