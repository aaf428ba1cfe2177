//! The messages of the wire protocol.

/// `nri.pkg.api.v1alpha1`, from `proto/nri/api.proto`.
#[allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic
)]
pub(super) mod api {
    include!(concat!(env!("OUT_DIR"), "/nri.pkg.api.v1alpha1.rs"));
}

/// Payload of a ttrpc request (`ttrpc/request.proto`).
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Request {
    #[prost(string, tag = "1")]
    pub(super) service: String,
    #[prost(string, tag = "2")]
    pub(super) method: String,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) payload: Vec<u8>,
    /// The caller's remaining time; 0: no deadline.
    #[prost(int64, tag = "4")]
    pub(super) timeout_nano: i64,
}

/// Payload of a ttrpc response.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Response {
    /// None, or code 0: success.
    #[prost(message, optional, tag = "1")]
    pub(super) status: Option<Status>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) payload: Vec<u8>,
}

/// `google.rpc.Status`, without details.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Status {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
}

impl Status {
    /// gRPC's UNKNOWN, as for any Go error. Never DEADLINE_EXCEEDED: the runtime counts that as
    /// success.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            message: message.into(),
        }
    }

    /// gRPC's INVALID_ARGUMENT.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self {
            code: 3,
            message: message.into(),
        }
    }

    /// gRPC's UNIMPLEMENTED; a newer runtime then falls back to the older methods.
    pub(super) fn unimplemented(service: &str, method: &str) -> Self {
        Self {
            code: 12,
            message: format!("{service}/{method} is not implemented"),
        }
    }
}
