//! Keys of JSON in any case, as Go's decoder takes them.

use serde_json::Value;

/// The value of a key; null without one. The key as it is written goes before other cases.
pub(super) fn get<'a>(object: &'a Value, key: &str) -> &'a Value {
    static NONE: Value = Value::Null;
    let Some(map) = object.as_object() else {
        return &NONE;
    };
    let other_case = || {
        let mut keys = map.iter();
        keys.find(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| value)
    };
    map.get(key).or_else(other_case).unwrap_or(&NONE)
}

/// The same for a text; empty without one.
pub(super) fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    get(object, key).as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_found_in_any_case_and_its_own_goes_first() {
        let object = json!({"TYPE": "x", "Vlan": 7, "type": "sriov"});
        assert_eq!(text(&object, "type"), "sriov");
        assert_eq!(get(&object, "vlan"), &json!(7));
        assert_eq!(get(&object, "mac"), &Value::Null);
        assert_eq!(get(&json!([1]), "mac"), &Value::Null);
    }
}
