mod documentation;
mod ib;
mod keys;
mod values;

use super::{Conf, NetConf, Network, Purpose};
use crate::cni::{
    json::{self, Object},
    protocol::{Args, CniError},
};

fn read(stdin: &str, args: &str) -> Result<(Network, Conf), CniError> {
    let json = json::parse("stdin", stdin.as_bytes())?;
    let object = Object::root(&json)?;
    let network = Network::read(&object, Purpose::Attach)?;
    let conf = Conf::read(&object, &network, &Args::parse(args)?)?;
    Ok((network, conf))
}

/// A configuration of `sriov` with these members, as text: order and duplicates count.
fn text(members: &str) -> Result<NetConf, CniError> {
    match read(
        &format!(r#"{{"name": "n", "type": "sriov", {members}}}"#),
        "",
    )?
    .1
    {
        Conf::Sriov(conf) => Ok(conf),
        Conf::Ib(conf) => panic!("{conf:?}"),
    }
}

#[track_caller]
fn refused(members: &str, code: u32, said: &str) {
    let error = text(members).unwrap_err();
    assert_eq!((error.code.0, &*error.msg), (code, said), "{members}");
}
