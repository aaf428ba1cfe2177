//! A call, read and checked as a whole.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{
    json::{self, Json, Object},
    netconf::{self, Conf, Network, Purpose, ValidAttachment},
    protocol::{Attachment, CniError, Code, Command, Env, Variables, Version},
    result::no_address,
};

/// What a runtime asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Attach.
    Add(Box<Call<Conf>>),
    /// Detach: what is in the configuration besides the network is not looked at.
    Del(Box<Call<()>>),
    /// Is the attachment as it was made?
    Check(Box<Call<Conf>>),
    /// Release what is not listed.
    Gc(Box<GcCall>),
    /// Could ADD be served?
    Status(Box<StatusCall>),
    /// Which versions are supported?
    Version(VersionAnswer),
}

impl Request {
    /// The version of the answer.
    #[must_use]
    pub fn version(&self) -> Version {
        match self {
            Self::Version(answer) => answer.0,
            _ => self
                .network()
                .map_or(Version::CURRENT, |network| network.version),
        }
    }

    /// The network; VERSION is about none.
    #[must_use]
    pub fn network(&self) -> Option<&Network> {
        match self {
            Self::Add(call) | Self::Check(call) => Some(&call.network),
            Self::Del(call) => Some(&call.network),
            Self::Gc(call) => Some(&call.network),
            Self::Status(call) => Some(&call.network),
            Self::Version(_) => None,
        }
    }

    /// The attachment, for those that are about one.
    #[must_use]
    pub fn attachment(&self) -> Option<&Attachment> {
        match self {
            Self::Add(call) | Self::Check(call) => Some(&call.attachment),
            Self::Del(call) => Some(&call.attachment),
            _ => None,
        }
    }
}

/// A call for one attachment.
#[derive(Debug, Clone, PartialEq)]
pub struct Call<C> {
    /// Which attachment.
    pub attachment: Attachment,
    /// The network.
    pub network: Network,
    /// What to do with the device.
    pub conf: C,
    /// Where plugins are.
    pub path: Vec<PathBuf>,
    /// `CNI_NETNS_OVERRIDE`: the namespace may be the plugin's own.
    pub netns_override: bool,
    /// What was read, for an IPAM plugin.
    pub stdin: Vec<u8>,
}

impl Call<Conf> {
    /// The pod's namespace, which is always given here.
    #[must_use]
    pub fn netns(&self) -> &Path {
        self.attachment.netns.as_deref().unwrap_or(Path::new(""))
    }
}

/// GC.
#[derive(Debug, Clone, PartialEq)]
pub struct GcCall {
    /// The network.
    pub network: Network,
    /// What to leave.
    pub valid: Vec<ValidAttachment>,
    /// Where plugins are.
    pub path: Vec<PathBuf>,
    /// What was read, for an IPAM plugin.
    pub stdin: Vec<u8>,
}

/// STATUS.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusCall {
    /// The network.
    pub network: Network,
    /// Where plugins are.
    pub path: Vec<PathBuf>,
    /// What was read, for an IPAM plugin.
    pub stdin: Vec<u8>,
}

/// The answer to VERSION.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionAnswer(pub Version);

impl VersionAnswer {
    /// The version object, in one line.
    #[must_use]
    pub fn to_json(self) -> String {
        let all = Version::ALL.map(Version::as_str);
        json!({"cniVersion": self.0.as_str(), "supportedVersions": all}).to_string()
    }
}

/// A call that cannot be done as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// In which version to say so.
    pub version: Version,
    /// Why.
    pub error: CniError,
}

impl Refused {
    /// The error object, in one line.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.error.to_json(self.version)
    }
}

/// Reads a call.
///
/// # Errors
/// Something in it is missing or invalid; nothing was changed.
pub fn request(variables: Variables<'_>, stdin: &[u8]) -> Result<Request, Refused> {
    let document = json::parse("stdin", stdin);
    let version = version(document.as_ref().ok()).unwrap_or(Version::CURRENT);
    read(variables, document, stdin).map_err(|error| Refused { version, error })
}

/// The version of whatever is said in return.
fn version(document: Option<&Json>) -> Option<Version> {
    let object = Object::root(document?).ok()?;
    netconf::version(&object).ok()
}

fn read(
    variables: Variables<'_>,
    document: Result<Json, CniError>,
    stdin: &[u8],
) -> Result<Request, CniError> {
    let env = Env::read(variables)?;
    if env.command == Command::Version {
        return Ok(Request::Version(asked_version(document.ok().as_ref())));
    }
    let document = document?;
    let object = Object::root(&document)?;
    supports(env.command, netconf::version(&object)?)?;
    let purpose = match env.command {
        Command::Del | Command::Gc => Purpose::Release,
        _ => Purpose::Attach,
    };
    let network = Network::read(&object, purpose)?;
    dispatch(env, &object, network, stdin.to_vec())
}

/// The version that the caller has given, as the specification wants it; without one, the newest.
fn asked_version(document: Option<&Json>) -> VersionAnswer {
    let named = document.and_then(|document| {
        let object = Object::root(document).ok()?;
        object.text("cniVersion").ok().flatten()
    });
    VersionAnswer(named.and_then(Version::of).unwrap_or(Version::CURRENT))
}

/// CHECK is of 0.4.0, GC and STATUS are of 1.1.0.
fn supports(command: Command, version: Version) -> Result<(), CniError> {
    let since = match command {
        Command::Check => Version::V040,
        Command::Gc | Command::Status => Version::V110,
        Command::Add | Command::Del | Command::Version => Version::V010,
    };
    if version >= since {
        return Ok(());
    }
    let msg = format!("cniVersion: {command} is not in {version}, must be {since} or later");
    Err(CniError::new(Code::INCOMPATIBLE_VERSION, msg))
}

fn dispatch(
    env: Env,
    object: &Object<'_>,
    network: Network,
    stdin: Vec<u8>,
) -> Result<Request, CniError> {
    let path = env.path.clone();
    Ok(match env.command {
        Command::Add => Request::Add(Box::new(add(env, object, network, stdin)?)),
        Command::Check => Request::Check(Box::new(check(env, object, network, stdin)?)),
        Command::Del => Request::Del(Box::new(call(env, network, (), stdin)?)),
        Command::Gc => Request::Gc(Box::new(GcCall {
            valid: netconf::valid_attachments(object)?,
            network,
            path,
            stdin,
        })),
        Command::Status => Request::Status(Box::new(StatusCall {
            network,
            path,
            stdin,
        })),
        Command::Version => Request::Version(VersionAnswer(network.version)),
    })
}

fn add(
    env: Env,
    object: &Object<'_>,
    network: Network,
    stdin: Vec<u8>,
) -> Result<Call<Conf>, CniError> {
    let before = network
        .previous
        .iter()
        .any(|previous| !previous.ips.is_empty());
    if network.version.needs_address() && network.ipam.is_none() && !before {
        return Err(no_address(network.version));
    }
    with_conf(env, object, network, stdin)
}

fn check(
    env: Env,
    object: &Object<'_>,
    network: Network,
    stdin: Vec<u8>,
) -> Result<Call<Conf>, CniError> {
    network.expected()?;
    with_conf(env, object, network, stdin)
}

fn with_conf(
    env: Env,
    object: &Object<'_>,
    network: Network,
    stdin: Vec<u8>,
) -> Result<Call<Conf>, CniError> {
    let args = env.attachment.as_ref().map(|attachment| &attachment.args);
    let conf = Conf::read(object, &network, args.unwrap_or(&Default::default()))?;
    call(env, network, conf, stdin)
}

fn call<C>(env: Env, network: Network, conf: C, stdin: Vec<u8>) -> Result<Call<C>, CniError> {
    let missing = || CniError::variable("CNI_CONTAINERID", "is not set");
    Ok(Call {
        attachment: env.attachment.ok_or_else(missing)?,
        network,
        conf,
        path: env.path,
        netns_override: env.netns_override,
        stdin,
    })
}
