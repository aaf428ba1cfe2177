/// The walkthrough itself fails if the host does not behave as its text says.
#[test]
fn the_walkthrough_succeeds() {
    let mut out = Vec::new();
    super::run_on(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        text.matches("have their original values.").count(),
        3,
        "{text}"
    );
    for part in [
        "net1: up, mtu 1400, 02:00:00:00:00:07, 10.0.0.7/24",
        "phase Preparing",
        "set vlan",
    ] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
}
