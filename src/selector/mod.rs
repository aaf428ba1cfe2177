//! CEL selectors of classes and claims, as Kubernetes evaluates them, and why one refuses a device.
//!
//! ```text
//!  expression ─► whole, and its terms: a && b && c ─► true
//!                                                  ├► false: the first term that is, with the values it looked at
//!                                                  ├► error: the first term that has one
//!                                                  └► cannot be evaluated here: no verdict
//! ```
//!
//! An unknown domain is an empty map, an unknown id an error, at which the scheduler gives the claim up. Only this
//! module names the library.

mod check;
mod device;
mod library;
mod lists;
mod quantity;
mod search;
mod seen;
mod terms;
#[cfg(test)]
mod tests;
mod variable;
mod version;

use std::sync::{Arc, LazyLock};

use cel::{Context, Env, ExecutionError, Program, common::types::CelBool};
use seen::Seen;

pub use device::{AttributeValue, Capacity, CelDevice};
pub use quantity::Quantity;
pub use seen::Looked;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(library::environment);

/// What an expression says of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It may be chosen.
    True,
    /// It may not.
    False(Because),
    /// The scheduler gives up.
    Error(Because, String),
    /// This program cannot say.
    Unjudged(String),
}

/// The part of an expression that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Because {
    /// As written.
    pub term: String,
    /// How many terms of the expression before it were true.
    pub passed: usize,
    /// What the term looked at.
    pub looked: Vec<Looked>,
}

/// A compiled expression.
pub struct Selector {
    whole: Program,
    terms: Vec<(String, Program)>,
}

impl Selector {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it: the API server would refuse it too.
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
        // The parts are for people only: when the split went wrong, the whole is its only term.
        let terms = terms.collect::<Result<_, String>>();
        let terms = terms
            .or_else(|_| Ok::<_, String>(vec![(expression.to_owned(), compile(expression)?)]))?;
        Ok(Self { whole, terms })
    }

    /// Evaluates it for a device.
    #[must_use]
    pub fn judge(&self, device: &CelDevice<'_>) -> Judgement {
        match evaluate(&self.whole, device) {
            Evaluation {
                strange: Some(why), ..
            } => Judgement::Unjudged(why),
            Evaluation {
                answer: Answer::Unjudged(why),
                ..
            } => Judgement::Unjudged(why),
            Evaluation {
                answer: Answer::Bool(true),
                ..
            } => Judgement::True,
            Evaluation {
                answer: Answer::Bool(false),
                ..
            } => Judgement::False(self.because(device, |answer| *answer == Answer::Bool(false))),
            Evaluation {
                answer: Answer::Error(text),
                ..
            } => Judgement::Error(
                self.because(device, |answer| matches!(answer, Answer::Error(_))),
                text,
            ),
        }
    }

    fn because(&self, device: &CelDevice<'_>, decides: impl Fn(&Answer) -> bool) -> Because {
        for (passed, (term, program)) in self.terms.iter().enumerate() {
            let evaluation = evaluate(program, device);
            if decides(&evaluation.answer) {
                return Because {
                    term: term.clone(),
                    passed,
                    looked: evaluation.looked,
                };
            }
        }
        let looked = evaluate(&self.whole, device).looked;
        Because {
            term: self
                .terms
                .iter()
                .map(|(term, _)| &**term)
                .collect::<Vec<_>>()
                .join(" && "),
            passed: 0,
            looked,
        }
    }
}

#[derive(Debug, PartialEq)]
enum Answer {
    Bool(bool),
    Error(String),
    Unjudged(String),
}

struct Evaluation {
    answer: Answer,
    looked: Vec<Looked>,
    strange: Option<String>,
}

fn evaluate(program: &Program, device: &CelDevice<'_>) -> Evaluation {
    let seen = Seen::default();
    let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
    context.add_variable_as_val("device", variable::device(device, &seen));
    let answer = match cel::Value::resolve_val(program.expression(), &context) {
        Ok(value) => match value.downcast_ref::<CelBool>() {
            Some(value) => Answer::Bool(*value.inner()),
            None => Answer::Error(format!(
                "gives a {}, must give a bool",
                value.get_type().name()
            )),
        },
        Err(error) => failed(&error),
    };
    let notes = seen.take();
    Evaluation {
        answer,
        looked: notes.looked,
        strange: notes.strange,
    }
}

fn failed(error: &ExecutionError) -> Answer {
    match error {
        ExecutionError::NoSuchKey(key) => Answer::Error(format!("no such key: {key}")),
        ExecutionError::UndeclaredReference(name) => {
            Answer::Unjudged(format!("{name} is not known here"))
        }
        ExecutionError::InternalError(text) => Answer::Unjudged(text.clone()),
        ExecutionError::FunctionError { function, message } if function == "matches" => {
            Answer::Unjudged(format!("matches: {}", plain(message)))
        }
        error => Answer::Error(plain(&error.to_string())),
    }
}

/// Errors of the library span lines.
fn plain(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
        .to_owned()
}
