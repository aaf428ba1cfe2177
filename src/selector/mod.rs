//! CEL selectors of classes and claims, as Kubernetes evaluates them, and why one rejects a device.
//!
//! ```text
//!  expression ─► whole, and its terms: a && b && c ─► true
//!                                                  ├► false: the first false term, with its values
//!                                                  ├► error: the first term that fails
//!                                                  └► not supported: not evaluated
//! ```
//!
//! An unknown domain is an empty map; an unknown identifier is an error, at which the scheduler
//! aborts the allocation of the claim. Only this module depends on the CEL library.

mod access_log;
mod check;
mod device;
mod library;
mod lists;
mod quantity;
mod search;
mod terms;
#[cfg(test)]
mod tests;
mod variable;
mod version;

use std::sync::{Arc, LazyLock};

use access_log::AccessLog;
use cel::{Context, Env, ExecutionError, Program, common::types::CelBool};

pub use access_log::AccessedValue;
pub use device::{AttributeValue, Capacity, CelDevice};
pub use quantity::Quantity;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(library::environment);

/// Result of an expression for a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectorResult {
    /// The device matches.
    True,
    /// The device is rejected.
    False(DecidingTerm),
    /// The expression fails: the scheduler aborts.
    Error(DecidingTerm, String),
    /// Not supported here, and why.
    Unsupported(String),
}

/// The term of an expression that decides the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecidingTerm {
    /// As written.
    pub term: String,
    /// How many terms of the expression before it were true.
    pub passed: usize,
    /// The values that the term accessed.
    pub accessed: Vec<AccessedValue>,
}

/// A compiled expression.
pub struct Selector {
    whole: Program,
    terms: Vec<(String, Program)>,
}

impl Selector {
    /// Compiles an expression.
    ///
    /// # Errors
    /// The expression is invalid: the API server would reject it as well.
    pub fn compile(expression: &str) -> Result<Self, String> {
        let compile = |text: &str| {
            ENVIRONMENT
                .compile(text)
                .map_err(|errors| plain(&errors.to_string()))
        };
        let whole = compile(expression)?;
        check::declared(whole.expression())?;
        let split = terms::terms(expression);
        let terms = split
            .into_iter()
            .map(|term| Ok((term.shown, compile(&term.whole)?)));
        // The terms are used for messages only: if they do not compile, use the whole expression.
        let terms = terms.collect::<Result<_, String>>();
        let terms = terms
            .or_else(|_| Ok::<_, String>(vec![(expression.to_owned(), compile(expression)?)]))?;
        Ok(Self { whole, terms })
    }

    /// Evaluates the expression for a device.
    #[must_use]
    pub fn evaluate(&self, device: &CelDevice<'_>) -> SelectorResult {
        match evaluate(&self.whole, device) {
            Evaluation {
                unsupported: Some(why),
                ..
            } => SelectorResult::Unsupported(why),
            Evaluation {
                answer: Answer::Unsupported(why),
                ..
            } => SelectorResult::Unsupported(why),
            Evaluation {
                answer: Answer::Bool(true),
                ..
            } => SelectorResult::True,
            Evaluation {
                answer: Answer::Bool(false),
                ..
            } => SelectorResult::False(
                self.deciding_term(device, |answer| *answer == Answer::Bool(false)),
            ),
            Evaluation {
                answer: Answer::Error(text),
                ..
            } => SelectorResult::Error(
                self.deciding_term(device, |answer| matches!(answer, Answer::Error(_))),
                text,
            ),
        }
    }

    fn deciding_term(
        &self,
        device: &CelDevice<'_>,
        decides: impl Fn(&Answer) -> bool,
    ) -> DecidingTerm {
        for (passed, (term, program)) in self.terms.iter().enumerate() {
            let evaluation = evaluate(program, device);
            if decides(&evaluation.answer) {
                return DecidingTerm {
                    term: term.clone(),
                    passed,
                    accessed: evaluation.accessed,
                };
            }
        }
        let accessed = evaluate(&self.whole, device).accessed;
        DecidingTerm {
            term: self
                .terms
                .iter()
                .map(|(term, _)| &**term)
                .collect::<Vec<_>>()
                .join(" && "),
            passed: 0,
            accessed,
        }
    }
}

#[derive(Debug, PartialEq)]
enum Answer {
    Bool(bool),
    Error(String),
    Unsupported(String),
}

struct Evaluation {
    answer: Answer,
    accessed: Vec<AccessedValue>,
    unsupported: Option<String>,
}

fn evaluate(program: &Program, device: &CelDevice<'_>) -> Evaluation {
    let log = AccessLog::default();
    let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
    context.add_variable_as_val("device", variable::device(device, &log));
    let answer = match cel::Value::resolve_val(program.expression(), &context) {
        Ok(value) => match value.downcast_ref::<CelBool>() {
            Some(value) => Answer::Bool(*value.inner()),
            None => Answer::Error(format!(
                "returns a {}, must return a bool",
                value.get_type().name()
            )),
        },
        Err(error) => failed(&error),
    };
    let accesses = log.take();
    Evaluation {
        answer,
        accessed: accesses.accessed,
        unsupported: accesses.unsupported,
    }
}

fn failed(error: &ExecutionError) -> Answer {
    match error {
        ExecutionError::NoSuchKey(key) => Answer::Error(format!("no such key: {key}")),
        ExecutionError::UndeclaredReference(name) => {
            Answer::Unsupported(format!("{name} is not supported"))
        }
        ExecutionError::InternalError(text) => Answer::Unsupported(text.clone()),
        ExecutionError::FunctionError { function, message } if function == "matches" => {
            Answer::Unsupported(format!("matches: {}", plain(message)))
        }
        error => Answer::Error(plain(&error.to_string())),
    }
}

/// The first line of an error of the library, which has several.
fn plain(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
        .to_owned()
}
