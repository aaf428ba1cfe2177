//! Ids that name files.

/// Whether the text is a file's name of at most `longest` characters that are all `plain`, and
/// neither hidden nor an option.
pub(crate) fn is_file_name(text: &str, longest: usize, plain: impl Fn(char) -> bool) -> bool {
    (1..=longest).contains(&text.len()) && text.chars().all(plain) && !text.starts_with(['-', '.'])
}
