//! Reads settings of a containerd configuration, line by line.

/// Whether CDI is enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cdi {
    On,
    Off,
    /// Not set: enabled by default from containerd 2 (configuration version 3) on.
    Default {
        version: u32,
    },
}

/// The last assignment counts. Tables are ignored, since `enable_cdi` is a key of one table only.
pub(super) fn cdi(config: &str) -> Cdi {
    match value(config, "enable_cdi") {
        Some("true") => Cdi::On,
        Some("false") => Cdi::Off,
        _ => Cdi::Default {
            version: value(config, "version")
                .and_then(|text| text.parse().ok())
                .unwrap_or(1),
        },
    }
}

fn value<'a>(config: &'a str, key: &str) -> Option<&'a str> {
    let line = |line: &'a str| {
        let (name, value) = line.split('#').next()?.split_once('=')?;
        (name.trim() == key).then(|| value.trim())
    };
    config.lines().filter_map(line).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_cdi_setting() {
        assert_eq!(
            cdi("version = 2\n[plugins.x]\n  enable_cdi = true # yes\n"),
            Cdi::On
        );
        assert_eq!(cdi("version = 3\nenable_cdi=false"), Cdi::Off);
        assert_eq!(
            cdi("version = 2\n# enable_cdi = true\n"),
            Cdi::Default { version: 2 }
        );
        assert_eq!(cdi(""), Cdi::Default { version: 1 });
    }
}
