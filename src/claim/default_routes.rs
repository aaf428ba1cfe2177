//! Default routes of one pod: only one of a family is in effect. Pure.

use crate::device::{DeviceId, Route};

/// Two devices of a pod that both have a default route of one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The first of them.
    pub one: DeviceId,
    /// The one that comes later.
    pub other: DeviceId,
    /// Its route.
    pub route: Route,
}

/// The first two that clash.
#[must_use]
pub fn clash(all: &[(DeviceId, Vec<Route>)]) -> Option<Clash> {
    let defaults: Vec<(DeviceId, &Route)> = all
        .iter()
        .flat_map(|(id, routes)| routes.iter().map(|route| (*id, route)))
        .filter(|(_, route)| route.is_default())
        .collect();
    defaults
        .iter()
        .enumerate()
        .find_map(|(number, (other, route))| {
            let is_other = |(one, before): &&(DeviceId, &Route)| {
                one != other && before.dst.addr().is_ipv4() == route.dst.addr().is_ipv4()
            };
            let (one, _) = defaults[..number].iter().find(is_other)?;
            Some(Clash {
                one: *one,
                other: *other,
                route: (*route).clone(),
            })
        })
}

impl Clash {
    /// Why the later one is refused.
    #[must_use]
    pub fn reason(&self) -> String {
        let Self { one, route, .. } = self;
        format!(
            "routes: {route}: device {one} has a default route too, and only one of them would be in effect; leave one out"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_devices_clash_in_a_family() {
        let of = |number: u32, routes: &[&str]| {
            let id = DeviceId::from_name(&format!("0000-02-10-{number}")).unwrap();
            let route = |text: &&str| {
                let (dst, gw) = text.split_once(' ').unwrap();
                serde_json::from_value(serde_json::json!({"dst": dst, "gw": gw})).unwrap()
            };
            (id, routes.iter().map(route).collect::<Vec<Route>>())
        };
        let (v4, v6) = ("0.0.0.0/0 10.0.0.1", "::/0 fd00::1");
        let none = |all: &[(DeviceId, Vec<Route>)]| assert_eq!(clash(all), None);
        none(&[]);
        none(&[of(0, &[v4, v6]), of(1, &["10.1.0.0/16 10.0.0.1"])]);
        none(&[of(0, &[v4]), of(1, &[v6])]);
        // Two of one device are for that device to sort out: the last one wins.
        none(&[of(0, &[v4, "0.0.0.0/0 10.0.0.2"])]);
        let found = clash(&[of(0, &[v6]), of(1, &[v4]), of(2, &[v4])]).unwrap();
        assert_eq!((found.one, found.other), (of(1, &[]).0, of(2, &[]).0));
        assert_eq!(
            found.reason(),
            "routes: 0.0.0.0/0 via 10.0.0.1: device 0000:02:10.1 has a default route too, and only one of them \
             would be in effect; leave one out"
        );
    }
}
