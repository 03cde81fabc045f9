//! Directories named after settings.

use crc::{CRC_32_ISO_HDLC, Crc};
use toml::{Table, Value};

use super::Setting;
use crate::config::RunConfig;
use crate::settings::last_part;

/// Bytes of a name at most; file systems take 255.
const LONGEST: usize = 180;

/// `sac-gamma=0.98-hidden=64x64`
///
/// What file systems may not take becomes `_`. The end of a name that is too long becomes a checksum of
/// the whole of it.
pub(super) fn candidate(preset: &str, varied: &[Setting]) -> String {
    let settings = varied.iter().map(|(key, value)| format!("-{}={}", last_part(key), text(value)));
    let whole: String = std::iter::once(preset.to_string()).chain(settings).collect();
    let plain = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' | '+' | '=' => c,
        _ => '_',
    };
    let name: String = whole.chars().map(plain).collect();
    if name.len() <= LONGEST {
        return name;
    }
    let checksum = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(whole.as_bytes());
    format!("{}-{checksum:08x}", &name[..LONGEST - 9])
}

/// A value as a name has it: `0.98`, `64x64`, `relu`.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        // Unlike TOML, 1e-5 and not 0.00001.
        Value::Float(x) => format!("{x:?}"),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join("x"),
        other => other.to_string(),
    }
}

/// The values that keys, given by their last parts, have in resolved settings.
pub(super) fn resolved(config: &RunConfig, keys: &[String]) -> Vec<Setting> {
    let table = Table::try_from(config).expect("settings came from TOML");
    let find = |key: &String| {
        let mut sections = table.values().filter_map(Value::as_table);
        let value = sections.find_map(|section| section.get(key))?;
        Some((key.clone(), value.clone()))
    };
    keys.iter().filter_map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_can_be_files() {
        let name = |value: Value| candidate("sac", &[("agent.key".into(), value)]);
        assert_eq!(name(1e-5.into()), "sac-key=1e-5");
        assert_eq!(name((-5.0).into()), "sac-key=-5.0");
        assert_eq!(name("a/b: c\\ü".into()), "sac-key=a_b__c__");
        assert_eq!(name(vec![64, 32].into()), "sac-key=64x32");
        assert_eq!(name(true.into()), "sac-key=true");
        let [long, other] = ["x", "y"].map(|end| name(format!("{}{end}", "ab".repeat(200)).into()));
        assert_eq!((long.len(), other.len()), (LONGEST, LONGEST));
        assert_ne!(long, other);
    }
}
