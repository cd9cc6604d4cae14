//! How a client command ends badly: one sentence, its code, its exit status.

use std::io;

use api::Code;
use api::problem::ProblemDetails;

#[derive(Debug)]
pub(crate) enum Failure {
    /// It was tried and failed: status 1.
    Failed { code: String, sentence: String },
    /// It was typed wrong: status 2.
    Usage { code: String, sentence: String },
    /// Whoever read our output has gone away, as `head` does: nothing to complain about.
    NobodyReads,
}

impl Failure {
    pub(crate) fn new(code: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self::Failed { code: code.into(), sentence: sentence.into() }
    }

    pub(crate) fn usage(code: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self::Usage { code: code.into(), sentence: sentence.into() }
    }

    /// What the server said is wrong; what it could not read was typed wrong.
    pub(crate) fn of_server(problem: ProblemDetails) -> Self {
        let typed_wrong = matches!(
            problem.code.parse(),
            Ok(Code::ZoneNameInvalid
                | Code::PrimaryInvalid
                | Code::AddressInvalid
                | Code::KeyNameInvalid
                | Code::AlgorithmUnknown
                | Code::SecretInvalid
                | Code::GuardInvalid
                | Code::SettingInvalid
                | Code::EmailInvalid
                | Code::TokenNameInvalid)
        );
        if typed_wrong { Self::usage(problem.code, problem.detail) } else { Self::new(problem.code, problem.detail) }
    }

    pub(crate) fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Failed { code, .. } | Self::Usage { code, .. } if code == wanted)
    }

    /// For people; none when there is nothing to say.
    pub(crate) fn sentence(&self) -> Option<String> {
        match self {
            Self::Failed { code, sentence } | Self::Usage { code, sentence } => Some(format!("{sentence} ({code})")),
            Self::NobodyReads => None,
        }
    }

    /// For programs: `code` and `detail`, as in the API's own problems.
    pub(crate) fn json(&self) -> Option<serde_json::Value> {
        match self {
            Self::Failed { code, sentence } | Self::Usage { code, sentence } => {
                Some(serde_json::json!({ "code": code, "detail": sentence }))
            }
            Self::NobodyReads => None,
        }
    }

    pub(crate) fn exit_status(&self) -> u8 {
        match self {
            Self::Failed { .. } => 1,
            Self::Usage { .. } => 2,
            Self::NobodyReads => 0,
        }
    }
}

impl From<api::Problem> for Failure {
    fn from(problem: api::Problem) -> Self {
        Self::of_server(ProblemDetails::from(&problem))
    }
}

/// An error of writing our output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::new("output_failed", format!("the output cannot be written: {error}")),
        }
    }
}
