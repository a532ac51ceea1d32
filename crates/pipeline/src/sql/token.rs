//! Words of an expression. Keywords are ordinary words here; the parser knows them.

use std::ops::Range;

use super::SqlFault;

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A keyword or a bare name.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// A text in single quotes.
    Text(String),
    /// A number without a sign.
    Number(f64),
    /// An operator or punctuation.
    Symbol(&'static str),
    /// After the last word.
    End,
}

/// One word and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Range<usize>,
}

impl Token {
    /// Whether this is the given keyword, whatever its case.
    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        matches!(&self.kind, TokenKind::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// Whether this is the given operator or punctuation.
    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol(find_symbol(symbol).unwrap_or_default())
    }

    /// The word as it is named in messages.
    pub(super) fn shown(&self) -> String {
        match &self.kind {
            TokenKind::Word(word) => format!("`{word}`"),
            TokenKind::Quoted(name) => format!("`\"{name}\"`"),
            TokenKind::Text(text) => format!("`'{text}'`"),
            TokenKind::Number(number) => format!("`{number}`"),
            TokenKind::Symbol(symbol) => format!("`{symbol}`"),
            TokenKind::End => "the end".into(),
        }
    }
}

/// Longer symbols come before their beginnings.
const SYMBOLS: [&str; 15] = ["<>", "!=", "<=", ">=", "==", "=", "<", ">", "+", "-", "*", "/", "(", ")", ","];

/// Splits a text into words; the last one is always `End`.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SqlFault> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = token(&text[at..], first).map_err(|mut fault| {
            fault.span = at + fault.span.start..at + fault.span.end;
            fault
        })?;
        tokens.push(Token { kind, span: at..at + length });
        at += length;
    }
    tokens.push(Token { kind: TokenKind::End, span: text.len()..text.len() });
    Ok(tokens)
}

fn token(rest: &str, first: char) -> Result<(TokenKind, usize), SqlFault> {
    if first == '\'' {
        return quoted(rest, '\'').map(|(text, length)| (TokenKind::Text(text), length));
    }
    if first == '"' {
        return quoted(rest, '"').map(|(name, length)| (TokenKind::Quoted(name), length));
    }
    if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|next: char| next.is_ascii_digit())) {
        return number(rest);
    }
    if first == '_' || first.is_alphabetic() {
        let length = rest.find(|next: char| next != '_' && !next.is_alphanumeric()).unwrap_or(rest.len());
        return Ok((TokenKind::Word(rest[..length].into()), length));
    }
    if let Some(symbol) = find_symbol(rest) {
        return Ok((TokenKind::Symbol(symbol), symbol.len()));
    }
    let help = match first {
        '&' => Some("write AND"),
        '|' => Some("write OR"),
        '!' => Some("write NOT, or `<>` for unequal"),
        '.' => Some("names have no dots; texts stand in single quotes"),
        '%' => Some("there is no remainder operator"),
        _ => None,
    };
    let fault = SqlFault::new("bad_expression", 0..first.len_utf8(), format!("`{first}` has no meaning here"));
    Err(fault.with_help(help.map(str::to_owned)))
}

fn find_symbol(rest: &str) -> Option<&'static str> {
    SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol))
}

/// A text between quotes, in which a doubled quote stands for one.
fn quoted(rest: &str, quote: char) -> Result<(String, usize), SqlFault> {
    let mut content = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != quote {
            content.push(character);
        } else if characters.next_if(|(_, next)| *next == quote).is_some() {
            content.push(quote);
        } else {
            return Ok((content, at + quote.len_utf8()));
        }
    }
    let fault = SqlFault::new("bad_expression", 0..rest.len(), format!("this {quote} is never closed"));
    Err(fault.with_help(format!("end it with another {quote}; write {quote}{quote} for a quote inside")))
}

fn number(rest: &str) -> Result<(TokenKind, usize), SqlFault> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        length += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    let wrong = |length: usize, message: &str| SqlFault::new("bad_expression", 0..length, message);
    if let Some(next) = rest[length..].chars().next().filter(|next| *next == '_' || next.is_alphanumeric()) {
        return Err(wrong(length + next.len_utf8(), "a number runs into a name").with_help("put a space between them".to_owned()));
    }
    let read = rest[..length].parse::<f64>().ok().filter(|number| number.is_finite());
    read.map(|number| (TokenKind::Number(number), length)).ok_or_else(|| wrong(length, "this number is too large"))
}

#[cfg(test)]
mod tests {
    use super::{Token, TokenKind, tokens};

    fn kinds(text: &str) -> Vec<TokenKind> {
        tokens(text).map(|tokens| tokens.into_iter().map(|Token { kind, .. }| kind).collect()).unwrap_or_default()
    }

    #[test]
    fn quotes_double_inside_quotes() {
        assert_eq!(kinds("'it''s'"), [TokenKind::Text("it's".into()), TokenKind::End]);
        assert_eq!(kinds(r#""a""b""#), [TokenKind::Quoted("a\"b".into()), TokenKind::End]);
        assert_eq!(kinds("''"), [TokenKind::Text(String::new()), TokenKind::End]);
    }

    #[test]
    fn numbers() {
        for (text, value) in [("1", 1.0), ("0.5", 0.5), (".5", 0.5), ("1e3", 1_000.0), ("2.5E-1", 0.25)] {
            assert_eq!(kinds(text), [TokenKind::Number(value), TokenKind::End], "{text}");
        }
        assert!(tokens("1e999").is_err());
        assert!(tokens("15m").is_err());
    }

    #[test]
    fn longest_symbol_wins() {
        assert_eq!(kinds("<=<"), [TokenKind::Symbol("<="), TokenKind::Symbol("<"), TokenKind::End]);
    }

    #[test]
    fn an_open_quote_is_a_fault_of_the_whole_rest() {
        assert_eq!(tokens("a = 'x").map_err(|fault| fault.span), Err(4..6));
    }
}
