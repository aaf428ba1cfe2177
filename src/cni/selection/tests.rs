use super::*;

fn shown(all: Vec<Selection>) -> Vec<String> {
    let one = |item: Selection| match item.interface {
        Some(interface) => format!("{}@{interface}", item.nad),
        None => item.nad.to_string(),
    };
    all.into_iter().map(one).collect()
}

#[track_caller]
fn read_as(text: &str, expected: &[&str]) {
    let read = networks(text, "shop").map(shown);
    assert_eq!(
        read.as_deref(),
        Ok(&*expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()),
        "{text}"
    );
}

#[track_caller]
fn refused(text: &str, why: &str) {
    let error = networks(text, "shop").unwrap_err().to_string();
    let expected = format!("annotation k8s.v1.cni.cncf.io/networks: {why}");
    assert!(error.starts_with(&expected), "{text}\n{error}\n{expected}");
}

#[test]
fn the_short_form() {
    read_as("", &[]);
    read_as("a", &["shop/a"]);
    read_as(
        " a , other/b@blue,c@net7 ",
        &["shop/a", "other/b@blue", "shop/c@net7"],
    );
    // Spaces beside the separators, and an empty interface: Multus takes them.
    read_as("other / b@ blue", &["other/b@blue"]);
    read_as("a@", &["shop/a"]);
    read_as("a,a,b", &["shop/a", "shop/a", "shop/b"]);
    let long = "n".repeat(70);
    read_as(&long, &[&format!("shop/{long}")]);
}

#[test]
fn the_json_form() {
    read_as("[]", &[]);
    read_as(
        r#"[{"name":"a"},{"name":"b","namespace":"other","interface":"blue"}]"#,
        &["shop/a", "other/b@blue"],
    );
    read_as(
        r#"[{"name":"a","namespace":"","interface":"","ips":["10.0.0.7/24","fd00::7"],
             "mac":"02:00:00:00:00:07","infiniband-guid":"02:00:00:00:00:00:00:07",
             "bandwidth":{"ingressRate":1},"portMappings":[{"hostPort":80}],
             "default-route":["10.0.0.1"],"cni-args":{"x":1},"deviceID":"0000:3b:02.1",
             "ipam-claim-reference":"x","unknown":[]}]"#,
        &["shop/a"],
    );
    // Go's decoder: any case, the last of several, null is no value.
    read_as(
        r#"[{"Name":"x","NAME":"a","namespace":null,"INTERFACE":"blue"}]"#,
        &["shop/a@blue"],
    );
    read_as(
        r#"[{"name":"a","interfaceRequest":"old"}]"#,
        &["shop/a@old"],
    );
    read_as(
        r#"[{"name":"a","interfaceRequest":"old","interface":"new"}]"#,
        &["shop/a@new"],
    );
    // The names of the JSON form are the API server's to check.
    read_as(
        r#"[{"name":"A.b","interface":"with space"}]"#,
        &["shop/A.b@with space"],
    );
}

#[test]
fn what_multus_refuses_is_refused() {
    let form = "must be [namespace/]name[@interface]";
    refused("a,,b", &format!("entry 2: \"\": {form}"));
    refused("a,", &format!("entry 2: \"\": {form}"));
    refused(" ", &format!("entry 1: \"\": {form}"));
    refused("x/y/a", &format!("entry 1: \"x/y/a\": {form}"));
    refused("a@b@c", &format!("entry 1: \"a@b@c\": {form}"));
    refused("a,B", "entry 2: \"B\": \"B\" must be lower case");
    refused("-a", "entry 1: \"-a\": \"-a\" must be lower case");
    refused("My/a", "entry 1: \"My/a\": \"My\" must be lower case");
    refused("a@b/c", "entry 1: \"a@b/c\": \"a@b\" must be lower case");
    refused(
        "a@sixteen-bytes-xx",
        "entry 1: \"a@sixteen-bytes-xx\": interface must have at most 15",
    );
    refused(
        "a@b c",
        "entry 1: \"a@b c\": interface must have at most 15",
    );
}

#[test]
fn what_multus_refuses_in_json_is_refused() {
    refused(r#"{"name":"a"}"#, "must be a JSON list of objects");
    refused(r#""a""#, "must be a JSON list of objects");
    refused("[1]", "must be a JSON list of objects");
    refused("[null]", "must be a JSON list of objects");
    refused(
        r#"[{"name":"a"},{"namespace":"b"}]"#,
        "entry 2: name: is missing",
    );
    refused(
        r#"[{"name":7}]"#,
        "entry 1: name: 7 is wrong, must be a string",
    );
    refused(
        r#"[{"name":"a","interface":1}]"#,
        "entry 1: interface: 1 is wrong",
    );
    refused(
        r#"[{"name":"a","mac":"02:00"}]"#,
        "entry 1: mac: \"02:00\" is no hardware address",
    );
    refused(
        r#"[{"name":"a","infiniband-guid":"x"}]"#,
        "entry 1: infiniband-guid: \"x\" is no",
    );
    refused(
        r#"[{"name":"a","ips":["10.0.0"]}]"#,
        "entry 1: ips: \"10.0.0\" is no IP address",
    );
    refused(
        r#"[{"name":"a","ips":"10.0.0.1"}]"#,
        "entry 1: ips: must be a list of strings",
    );
    refused(
        r#"[{"name":"a","default-route":["x"]}]"#,
        "entry 1: default-route: \"x\" is no IP",
    );
    refused(
        r#"[{"name":"a","bandwidth":1}]"#,
        "entry 1: bandwidth: must be an object",
    );
    refused(
        r#"[{"name":"a","cni-args":"x"}]"#,
        "entry 1: cni-args: must be an object",
    );
    refused(
        r#"[{"name":"a","portMappings":[1]}]"#,
        "entry 1: portMappings: must be a list",
    );
}

#[test]
fn hardware_addresses_are_those_of_go() {
    use super::hardware_address::is_hardware_address;
    for good in [
        "02:00:00:00:00:01",
        "02-00-00-00-00-0A",
        "0200.0000.0001",
        "02:00:00:00:00:00:00:01",
        "0200.0000.0000.0001",
    ] {
        assert!(is_hardware_address(good), "{good}");
    }
    for bad in [
        "",
        "02:00:00:00:00",
        "2:0:0:0:0:1",
        "02:00:00:00:00:0g",
        "02:00-00:00:00:01",
    ] {
        assert!(!is_hardware_address(bad), "{bad}");
    }
}

#[test]
fn the_default_network_is_one() {
    let read =
        |text: &'static str| default_network(text, "kube-system").map(|one| shown(vec![one]));
    assert_eq!(read("fast"), Ok(vec!["kube-system/fast".to_owned()]));
    assert_eq!(
        read(r#"[{"name":"fast","namespace":"x"}]"#),
        Ok(vec!["x/fast".to_owned()])
    );
    let text = |annotation: &'static str| read(annotation).unwrap_err().to_string();
    let name = "annotation v1.multus-cni.io/default-network: must name one network";
    assert_eq!(text("a,b"), format!("{name}, has 2"));
    assert_eq!(text(""), format!("{name}, has 0"));
}
