use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use super::*;

const NOW: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(60);

fn locks() -> (tempfile::TempDir, Locks) {
    let dir = tempfile::tempdir().unwrap();
    let locks = Locks::new(&Paths::below(dir.path()));
    (dir, locks)
}

fn vf() -> DeviceId {
    DeviceId::from_name("0000-3b-02-1").unwrap()
}

#[test]
fn who_waits_learns_what_for() {
    let (_dir, locks) = locks();
    let held = locks
        .device(&vf(), "prepare 0000:3b:02.1", Deadline::after(LONG))
        .unwrap();
    held.note("unbind 0000:3b:02.1");
    let error = locks
        .device(&vf(), "other", Deadline::after(NOW))
        .unwrap_err();
    assert_eq!(error.to_string(), "busy: unbind 0000:3b:02.1, 0 s");
    assert_eq!(locks.busy_with(&vf()).unwrap().what, "unbind 0000:3b:02.1");
    drop(held);
    assert_eq!(locks.busy_with(&vf()), None);
    locks.device(&vf(), "other", Deadline::after(LONG)).unwrap();
}

#[test]
fn the_go_plugin_and_we_exclude_each_other_at_its_own_file() {
    let (dir, locks) = locks();
    let path = dir
        .path()
        .join("var/lib/cni/sriov/pci/vf_lock/0000:3b:02.1.lock");
    drop(
        locks
            .device(&vf(), "prepare", Deadline::after(LONG))
            .unwrap(),
    );
    let theirs = File::open(&path).unwrap();
    theirs.lock().unwrap();
    let error = locks
        .device(&vf(), "prepare", Deadline::after(NOW))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "busy: 0000:3b:02.1 is locked by another program"
    );
}

#[test]
fn a_claims_lock_leaves_no_file_and_still_excludes() {
    let (_dir, locks) = locks();
    let uid: ClaimUid = "c1".parse().unwrap();
    let (inside, most) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let _held = locks.claim(&uid, "prepare", Deadline::after(LONG)).unwrap();
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    inside.fetch_sub(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(most.load(Ordering::SeqCst), 1);
    assert_eq!(fs::read_dir(&locks.own).unwrap().count(), 0);
}

#[test]
fn the_last_agent_leaves_no_file_of_its_own_that_is_free() {
    let (dir, locks) = locks();
    let theirs = dir
        .path()
        .join("var/lib/cni/sriov/pci/vf_lock/0000:3b:02.7.lock");
    let (free, busy) = (vf(), DeviceId::from_name("0000-3b-02-2").unwrap());
    drop(
        locks
            .device(&free, "prepare", Deadline::after(LONG))
            .unwrap(),
    );
    drop(
        locks
            .pf(
                &"0000:3b:00.0".parse().unwrap(),
                "set vlan",
                Deadline::after(LONG),
            )
            .unwrap(),
    );
    let held = locks
        .device(&busy, "prepare", Deadline::after(LONG))
        .unwrap();
    File::create(&theirs).unwrap();
    locks.sweep();
    assert_eq!(fs::read_dir(&locks.own).unwrap().count(), 0);
    let mut left: Vec<_> = fs::read_dir(&locks.vf_locks)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(
        left,
        ["0000:3b:02.2.lock", "0000:3b:02.7.lock"],
        "one is held, one is another program's"
    );
    locks
        .device(&busy, "other", Deadline::after(NOW))
        .unwrap_err();
    drop(held);
}

#[test]
fn a_lock_that_comes_free_in_time_is_taken() {
    let (_dir, locks) = locks();
    let pf: Bdf = "0000:3b:00.0".parse().unwrap();
    let held = locks.pf(&pf, "set vlan", Deadline::after(LONG)).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| locks.pf(&pf, "set mac", Deadline::after(LONG)).unwrap());
        drop(held);
    });
}

/// Its holder removes it when it lets go, between our open and our lock.
#[test]
fn a_file_that_is_removed_before_it_is_locked_is_no_lock() {
    let (dir, _) = locks();
    let path = dir.path().join("claim-c1.lock");
    let first = std::cell::Cell::new(true);
    let locked = try_lock(&path, |file| {
        if first.take() {
            fs::remove_file(&path).unwrap();
        }
        file.try_lock()
    });
    assert!(is_at(&locked.unwrap().unwrap(), &path));
}
