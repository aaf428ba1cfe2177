//! What the chart grants is what the code needs: each right of each role, and the line that needs
//! it.
//!
//! ```text
//!  charts/…/templates/*.yaml ──► rules: (role, group, resource, verb) ─┐
//!                                                                      ├─► the same
//!  NEEDS: role, group, resource, verbs, the code that needs them ──────┘
//!             └─► the code is there
//! ```
//!
//! The templates are read as text, without Helm: every rule counts, whatever values it depends on.

use std::{collections::BTreeSet, fs, path::Path};

/// Rights of one role, and the code that uses them: a file, and what must be in it.
struct Need {
    role: &'static str,
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    code: &'static [(&'static str, &'static str)],
}

const AGENT: &str = "rbac.yaml";
const CONTROLLER: &str = "controller.yaml";
const UNINSTALL: &str = "uninstall-check.yaml";

const DRA: &str = "resource.k8s.io";
const POLICIES: &str = "sriovnetwork.k8snetworkplumbingwg.io";

/// kube's watcher lists, and then watches.
const FOLLOW: &[&str] = &["list", "watch"];

const OWNER: &str = "src/cluster/kube/owner.rs";
const KUBE: &str = "src/cluster/kube.rs";
const POOLS: &str = "src/cluster/kube/pools.rs";
const WATCHES: &str = "src/cluster/kube/watches.rs";
const VIEW: &str = "src/cluster/kube/policies.rs";
const RECORDER: &str = "src/cluster/kube/recorder.rs";
const STATUS: &str = "src/cluster/kube/policy_status.rs";

const fn need(
    role: &'static str,
    (group, resource): (&'static str, &'static str),
    verbs: &'static [&'static str],
    code: &'static [(&'static str, &'static str)],
) -> Need {
    Need {
        role,
        group,
        resource,
        verbs,
        code,
    }
}

const NEEDS: &[Need] = &[
    // A claim is read when the kubelet names it, and before its status is written.
    need(
        AGENT,
        (DRA, "resourceclaims"),
        &["get"],
        &[
            (KUBE, "match api.get(name).await"),
            (KUBE, "api.get(&claim.name)"),
        ],
    ),
    need(
        AGENT,
        (DRA, "resourceclaims/status"),
        &["patch"],
        &[(KUBE, "api.patch_status(&claim.name,")],
    ),
    // The API server asks for it since Kubernetes 1.36, with the verb of the request.
    need(
        AGENT,
        (DRA, "resourceclaims/driver"),
        &["associated-node:patch"],
        &[(KUBE, "api.patch_status(&claim.name,")],
    ),
    need(
        AGENT,
        (DRA, "resourceslices"),
        &["list", "watch", "create", "update", "delete"],
        &[
            (KUBE, "self.slice_api().list("),
            (KUBE, "watches::slices("),
            (KUBE, "self.slice_api().create("),
            (KUBE, ".replace(&stored.name,"),
            (KUBE, "self.slice_api().delete("),
        ],
    ),
    // The owner of the slices, and its labels. Not list nor watch: those are of all nodes.
    need(
        AGENT,
        ("", "nodes"),
        &["get"],
        &[
            (OWNER, "Api::<Node>::all(self.client.clone())"),
            (VIEW, "api.get_metadata_with(node,"),
        ],
    ),
    need(
        AGENT,
        ("", "pods"),
        FOLLOW,
        &[(WATCHES, "spec.nodeName={node}")],
    ),
    // Those that a pod's annotation names, one by one.
    need(
        AGENT,
        ("k8s.cni.cncf.io", "network-attachment-definitions"),
        &["get"],
        &[("src/cluster/kube/nads.rs", "api.get_opt(&nad.name)")],
    ),
    need(
        AGENT,
        ("events.k8s.io", "events"),
        &["create", "patch"],
        &[
            (RECORDER, "api.create(&PostParams::default(), &object)"),
            (RECORDER, "api.patch(&earlier.name,"),
        ],
    ),
    need(
        AGENT,
        (POLICIES, "sriovresourcepolicies"),
        FOLLOW,
        &[(VIEW, "self.objects(Kind::Policy,")],
    ),
    need(
        AGENT,
        (POLICIES, "deviceattributes"),
        FOLLOW,
        &[(VIEW, "self.objects(Kind::Attributes,")],
    ),
    need(
        CONTROLLER,
        (DRA, "deviceclasses"),
        &["list", "watch", "create", "update", "delete"],
        &[
            (POOLS, "self.class_api().list("),
            (POOLS, "self.class_api(),\n            watcher::Config"),
            (POOLS, "self.class_api().create("),
            (POOLS, "answer.replace(&class.name,"),
            (POOLS, "self.class_api().delete("),
        ],
    ),
    // Named ones are read one by one; those of a label are listed.
    need(
        CONTROLLER,
        ("", "configmaps"),
        &["get", "list", "watch"],
        &[
            (POOLS, "api.get_opt(&name.name)"),
            (POOLS, "api.list(&params)"),
            (POOLS, "watcher(api, config)"),
        ],
    ),
    need(
        CONTROLLER,
        ("events.k8s.io", "events"),
        &["create", "patch"],
        &[(POOLS, "Cluster::event(self, event)")],
    ),
    need(
        CONTROLLER,
        ("", "nodes"),
        &["list"],
        &[(STATUS, "self.request(\"nodes\", api.list(&params))")],
    ),
    need(
        CONTROLLER,
        (DRA, "resourceslices"),
        &["list"],
        &[(
            STATUS,
            "self.request(\"slices of all nodes\", api.list(&params))",
        )],
    ),
    need(
        CONTROLLER,
        (POLICIES, "sriovresourcepolicies"),
        FOLLOW,
        &[(VIEW, "self.objects(Kind::Policy,")],
    ),
    need(
        CONTROLLER,
        (POLICIES, "deviceattributes"),
        FOLLOW,
        &[(VIEW, "self.objects(Kind::Attributes,")],
    ),
    need(
        CONTROLLER,
        (POLICIES, "sriovresourcepolicies/status"),
        &["patch"],
        &[(STATUS, "api.patch_status(&policy.name,")],
    ),
    need(
        UNINSTALL,
        (DRA, "resourceclaims"),
        &["list"],
        &[(
            "src/cluster/kube/in_use.rs",
            "self.request(\"resource claims\", api.list(",
        )],
    ),
    need(
        UNINSTALL,
        (DRA, "resourceslices"),
        &["list"],
        &[(
            "src/cluster/kube/in_use.rs",
            "self.request(\"resource slices\", api.list(",
        )],
    ),
];

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// `[a, "b"]` behind a key, all quoted strings of a template expression included.
fn list(line: &str, key: &str) -> Option<Vec<String>> {
    let value = line
        .trim_start()
        .trim_start_matches("- ")
        .strip_prefix(key)?;
    let values = value.split(['[', ']', ',']).map(|value| {
        let value = value.trim().trim_matches('"').trim();
        value.to_owned()
    });
    let is_template = |value: &str| value.contains("{{") || value.contains("}}");
    let mut values: Vec<String> = values.filter(|value| !is_template(value)).collect();
    // `""` is the core group; what is left between brackets is nothing.
    let is_core = value.contains("\"\"");
    values.retain(|value| !value.is_empty());
    values.extend(is_core.then(String::new));
    Some(values)
}

/// Role's template, group, resource, verb.
type Right = (String, String, String, String);

/// Every right that a template grants.
fn granted(template: &str) -> BTreeSet<Right> {
    let (mut groups, mut resources, mut rights) = (Vec::new(), Vec::new(), BTreeSet::new());
    for line in text(&format!("charts/sriov-dra/templates/{template}")).lines() {
        if let Some(found) = list(line, "apiGroups:") {
            groups = found;
        } else if let Some(found) = list(line, "resources:") {
            resources = found;
        } else if let Some(verbs) = list(line, "verbs:") {
            assert!(!verbs.is_empty(), "{template}: no verbs in {line:?}");
            for group in &groups {
                for resource in &resources {
                    let right = |verb| (template.into(), group.clone(), resource.clone(), verb);
                    rights.extend(verbs.iter().cloned().map(right));
                }
            }
        }
    }
    rights
}

fn needed() -> BTreeSet<Right> {
    let rights = NEEDS.iter().flat_map(|need| {
        let right = |verb: &&str| {
            let parts = [need.role, need.group, need.resource, *verb];
            let [role, group, resource, verb] = parts.map(str::to_owned);
            (role, group, resource, verb)
        };
        need.verbs.iter().map(right)
    });
    rights.collect()
}

#[test]
fn the_chart_grants_what_is_needed_and_nothing_else() {
    let templates = fs::read_dir(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/charts/sriov-dra/templates"
    ))
    .expect("templates");
    let granted: BTreeSet<Right> = templates
        .map(|entry| {
            entry
                .expect("entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .flat_map(|template| granted(&template))
        .collect();
    let needed = needed();
    let too_much: Vec<_> = granted.difference(&needed).collect();
    let too_little: Vec<_> = needed.difference(&granted).collect();
    assert!(
        too_much.is_empty() && too_little.is_empty(),
        "granted without need: {too_much:?}; needed and not granted: {too_little:?}"
    );
}

/// A right whose code has gone has to go too.
#[test]
fn the_code_that_needs_a_right_is_there() {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    for need in NEEDS {
        for (file, code) in need.code {
            assert!(
                squeezed(&text(file)).contains(&squeezed(code)),
                "{}: {:?} {} is needed by {code:?}, which is not in {file}",
                need.role,
                need.verbs,
                need.resource
            );
        }
    }
}

#[test]
fn a_star_is_granted_nowhere() {
    let stars = granted(AGENT).into_iter().chain(granted(CONTROLLER));
    let stars: Vec<_> = stars
        .filter(|(_, group, resource, verb)| {
            [group, resource, verb]
                .iter()
                .any(|part| part.contains('*'))
        })
        .collect();
    assert!(stars.is_empty(), "{stars:?}");
}
