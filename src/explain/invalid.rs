//! Claims that the API server refuses: files can have them.

use std::collections::BTreeSet;

use super::objects::{Constraint, Devices, Request, RequestSpec, Toleration};

/// Before the version v1 of the API, the fields of `exactly` were the request's own.
const ONE_OF: &str = "needs exactly or firstAvailable (in resource.k8s.io/v1, deviceClassName and \
                      the fields beside it are below exactly)";

/// The first thing that the API server refuses, with its place.
pub(super) fn fault(devices: &Devices) -> Option<String> {
    of_requests(&devices.requests)
        .or_else(|| of_constraints(devices))
        .or_else(|| of_configs(devices))
}

fn of_requests(requests: &[Request]) -> Option<String> {
    let names = requests.iter().map(|request| request.name.as_str());
    let place = |at: usize, name: &str| match name {
        "" => format!("request {at}"),
        name => format!("request {name}"),
    };
    if let Some(name) = repeated(names) {
        return Some(format!("{} is there twice", place(0, name)));
    }
    requests.iter().enumerate().find_map(|(at, request)| {
        let fault = of_request(request)?;
        Some(format!("{}: {fault}", place(at, &request.name)))
    })
}

fn of_request(request: &Request) -> Option<String> {
    if request.name.is_empty() {
        return Some("name: is not set".to_owned());
    }
    let alternatives = &request.first_available;
    match (&request.exactly, alternatives.is_empty()) {
        (None, true) => return Some(ONE_OF.to_owned()),
        (Some(_), false) => return Some("has both exactly and firstAvailable".to_owned()),
        (Some(spec), true) => return of_spec(spec),
        (None, false) => {}
    }
    let names = alternatives.iter().map(|spec| spec.name.as_str());
    if let Some(name) = repeated(names) {
        return Some(format!("firstAvailable has {name:?} twice"));
    }
    alternatives.iter().find_map(of_spec)
}

fn of_spec(spec: &RequestSpec) -> Option<String> {
    if spec.device_class_name.is_empty() {
        return Some("deviceClassName: is not set".to_owned());
    }
    match (spec.allocation_mode.as_str(), spec.count) {
        ("" | "ExactCount", Some(0)) => return Some("count: must be 1 or more".to_owned()),
        ("" | "ExactCount" | "All", _) => {}
        (mode, _) => {
            return Some(format!(
                "allocationMode: {mode:?} is wrong, must be ExactCount or All"
            ));
        }
    }
    spec.tolerations.iter().find_map(of_toleration)
}

fn of_toleration(toleration: &Toleration) -> Option<String> {
    let Toleration {
        key,
        operator,
        value,
        effect,
    } = toleration;
    match operator.as_str() {
        "Exists" if !value.is_empty() => {
            return Some("tolerations: operator Exists takes no value".to_owned());
        }
        "" | "Equal" if key.is_empty() => {
            return Some("tolerations: without a key the operator must be Exists".to_owned());
        }
        "" | "Equal" | "Exists" => {}
        operator => {
            return Some(format!(
                "tolerations: operator {operator:?} is wrong, must be Exists or Equal"
            ));
        }
    }
    let known = ["", "None", "NoSchedule", "NoExecute"].contains(&effect.as_str());
    (!known).then(|| {
        format!("tolerations: effect {effect:?} is wrong, must be NoSchedule or NoExecute")
    })
}

fn of_constraints(devices: &Devices) -> Option<String> {
    let mut numbered = devices.constraints.iter().enumerate();
    numbered.find_map(|(at, constraint)| {
        let unknown = unknown(devices, &constraint.requests);
        let fault = unknown.or_else(|| of_constraint(constraint))?;
        Some(format!("constraint {at}: {fault}"))
    })
}

fn of_constraint(constraint: &Constraint) -> Option<String> {
    let attribute = match (&constraint.match_attribute, &constraint.distinct_attribute) {
        (Some(attribute), None) | (None, Some(attribute)) => attribute,
        _ => return Some("needs one of matchAttribute and distinctAttribute".to_owned()),
    };
    (!attribute.contains('/')).then(|| {
        format!("{attribute:?} has no domain, must be like resource.kubernetes.io/numaNode")
    })
}

fn of_configs(devices: &Devices) -> Option<String> {
    let mut numbered = devices.config.iter().enumerate();
    numbered.find_map(|(at, config)| {
        let fault = unknown(devices, &config.requests)?;
        Some(format!("config {at}: {fault}"))
    })
}

/// A request that is named and not there.
fn unknown(devices: &Devices, names: &[String]) -> Option<String> {
    let is_there = |name: &str| {
        let (request, alternative) = match name.split_once('/') {
            Some((request, alternative)) => (request, Some(alternative)),
            None => (name, None),
        };
        let mut requests = devices.requests.iter();
        requests.any(|it| {
            let mut alternatives = it.first_available.iter();
            it.name == request
                && alternative.is_none_or(|name| alternatives.any(|it| it.name == name))
        })
    };
    let unknown = names.iter().find(|name| !is_there(name))?;
    Some(format!("there is no request {unknown}"))
}

fn repeated<'n>(names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let mut seen = BTreeSet::new();
    let mut named = names.filter(|name| !name.is_empty());
    named.find(|name| !seen.insert(*name))
}
