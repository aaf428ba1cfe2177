//! Lines of the library in the plugin's log.

use std::fmt::{self, Write};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use super::log::{Level, Logger};

/// Forwards events to a log; spans are not in it.
#[derive(Debug)]
pub(super) struct Forward(pub(super) Logger);

impl Subscriber for Forward {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let pairs: Vec<(&str, &str)> = fields
            .pairs
            .iter()
            .map(|(key, value)| (*key, &**value))
            .collect();
        self.0
            .log(level(event.metadata().level()), &fields.msg, &pairs);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn level(level: &tracing::Level) -> Level {
    match *level {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warning,
        tracing::Level::INFO => Level::Info,
        _ => Level::Debug,
    }
}

#[derive(Default)]
struct Fields {
    msg: String,
    pairs: Vec<(&'static str, String)>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.pairs.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => drop(write!(self.msg, "{value:?}")),
            name => self.pairs.push((name, format!("{value:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cni::netconf::LogConf;

    #[test]
    fn events_are_lines_with_their_fields() {
        let dir = tempfile::tempdir().unwrap();
        let conf = LogConf {
            level: None,
            file: Some(dir.path().join("log")),
        };
        let log = Forward(Logger::open(&conf, "sriov-cni", None));
        tracing::subscriber::with_default(log, || {
            tracing::warn!(device = %"0000:02:10.0", count = 2, why = "busy", "is late");
            tracing::debug!("not at info");
        });
        let text = std::fs::read_to_string(dir.path().join("log")).unwrap();
        let end = r#" level="warning" msg="is late" cniName="sriov-cni" device="0000:02:10.0" count="2" why="busy""#;
        assert!(text.trim_end().ends_with(end), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
    }
}
