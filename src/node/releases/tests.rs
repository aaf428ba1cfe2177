use super::*;

fn claim(uid: &str) -> ClaimUid {
    uid.parse().unwrap()
}

#[test]
fn a_release_that_fails_is_attempted_less_and_less_often() {
    let (mut schedule, start) = (Schedule::default(), Instant::now());
    let mut attempts = Vec::new();
    for tenth in 0..700 {
        let now = start + Duration::from_millis(100) * tenth;
        if schedule.is_due(&claim("a"), now) {
            attempts.push(tenth);
            schedule.failed(claim("a"), now);
        }
    }
    assert_eq!(attempts, [0, 2, 6, 14, 30, 62, 126, 254, 510]);
    schedule.done(&claim("a"));
    assert!(schedule.is_due(&claim("a"), start));
}

#[test]
fn an_event_of_the_kernel_hastens_a_release() {
    let (mut schedule, start) = (Schedule::default(), Instant::now());
    for _ in 0..8 {
        schedule.failed(claim("a"), start);
    }
    let soon = start + Duration::from_secs(7);
    assert!(!schedule.is_due(&claim("a"), soon));
    schedule.hasten(start);
    assert!(schedule.is_due(&claim("a"), soon));
}
