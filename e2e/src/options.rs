//! The command line.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use crate::scenarios::TABLE;

pub(crate) const USAGE: &str = "usage: e2e [bench] [OPTIONS]

  --only a,c     these scenarios, in their own order; the driver is installed first if it is not
                 (default: those of a run of CI)
  --full         all that this lab can, each on both nodes; with --only: those on both nodes
  --list         the table of scenarios: minutes, where each runs, title, and why there
  --keep         keep what scenarios create, to look at it
  --out DIR      where logs of failures go (default: /tmp/sriov-dra-e2e)
  bench          measure instead: prepare, unprepare, pod start, the hook step by step, agent start, kubelet
                 restart, memory
  --rounds N     bench: pods of each kind (default: 20)

Run it in the lab: e2e/lab/lab run -- cargo run -p e2e";

/// What is to be done.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    #[default]
    Run,
    List,
    Bench,
    Help,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) action: Action,
    /// Letters; empty: all.
    pub(crate) only: Vec<char>,
    /// Everything, on both nodes.
    pub(crate) full: bool,
    pub(crate) keep: bool,
    pub(crate) out: PathBuf,
    pub(crate) rounds: u32,
}

impl Options {
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self> {
        let out = PathBuf::from("/tmp/sriov-dra-e2e");
        let mut options = Self {
            out,
            rounds: 20,
            ..Self::default()
        };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .with_context(|| format!("{word} needs a value"))
            };
            match word.as_str() {
                "bench" => options.action = Action::Bench,
                "--list" => options.action = Action::List,
                "--help" | "-h" => options.action = Action::Help,
                "--full" => options.full = true,
                "--keep" => options.keep = true,
                "--only" => options.only = letters(&value()?)?,
                "--out" => options.out = value()?.into(),
                "--rounds" => {
                    options.rounds = value()?.parse().context("--rounds wants a number")?
                }
                other => bail!("unknown option {other}"),
            }
        }
        Ok(options)
    }
}

fn letters(text: &str) -> Result<Vec<char>> {
    let known: Vec<char> = TABLE.iter().map(|slot| slot.scenario.letter).collect();
    let asked: Vec<char> = text.chars().filter(|c| !matches!(c, ',' | ' ')).collect();
    for letter in &asked {
        ensure!(known.contains(letter), "there is no scenario {letter}");
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn letters_and_switches() {
        let options = parse("--only a,c --keep --full").expect("options");
        assert_eq!(
            (options.only, options.keep, options.full, options.action),
            (vec!['a', 'c'], true, true, Action::Run)
        );
        assert_eq!(parse("bench --rounds 3").expect("options").rounds, 3);
        for wrong in ["--only 0", "--only", "--often", "bench --rounds x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
