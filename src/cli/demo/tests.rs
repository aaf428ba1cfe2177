/// The story fails by itself where the host is not as told; here it must come to its end, and say what a newcomer needs.
#[test]
fn the_story_comes_to_its_end() {
    let mut out = Vec::new();
    super::tell(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(
        text.matches("are as they were before the claim.").count(),
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
