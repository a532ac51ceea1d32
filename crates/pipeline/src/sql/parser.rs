//! Precedence climbing over the words of an expression.
//!
//! From loose to tight: OR, AND, NOT, comparisons with IN, BETWEEN and IS, plus and minus, times and divided by, the sign.
//! Comparisons do not chain: `a < b < c` is a fault, not a surprise.

use std::ops::Range;

use super::syntax::{Node, Operator, Syntax};
use super::token::{Token, TokenKind, tokens};
use super::{HEIGHT_MAX, LENGTH_MAX, SqlFault};

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const SIGN: u8 = 7;

/// Words that end or join expressions and therefore are no names unless quoted.
const RESERVED: [&str; 15] =
    ["AND", "OR", "NOT", "IN", "BETWEEN", "IS", "NULL", "TRUE", "FALSE", "CASE", "WHEN", "THEN", "ELSE", "END", "LIKE"];

/// Reads a whole text as one expression.
pub(crate) fn parse(text: &str) -> Result<Syntax, SqlFault> {
    if text.trim().is_empty() {
        return Err(SqlFault::new("empty_expression", 0..text.len(), "this expression is empty"));
    }
    if text.len() > LENGTH_MAX {
        let message = format!("this expression has {} bytes; {LENGTH_MAX} are allowed", text.len());
        return Err(SqlFault::new("expression_too_large", 0..text.len(), message));
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let syntax = parser.expression(0)?;
    match &parser.peek().kind {
        TokenKind::End => Ok(syntax),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser {
    /// Ends with `End`, which is never passed.
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn expression(&mut self, tightness_min: u8) -> Result<Syntax, SqlFault> {
        self.depth += 1;
        if self.depth > HEIGHT_MAX {
            return Err(too_nested(self.peek().span.clone()));
        }
        let mut left = self.prefix()?;
        let mut compared = false;
        while let Some(tightness) = self.infix_tightness() {
            if tightness < tightness_min {
                break;
            }
            if tightness == COMPARISON && std::mem::replace(&mut compared, true) {
                let fault = SqlFault::new("bad_expression", self.peek().span.clone(), "comparisons do not chain");
                return Err(fault.with_help("join two comparisons with AND, or use parentheses".to_owned()));
            }
            left = self.infix(left, tightness)?;
            if left.height > HEIGHT_MAX {
                return Err(too_nested(left.span));
            }
        }
        self.depth -= 1;
        Ok(left)
    }

    fn infix_tightness(&self) -> Option<u8> {
        let token = self.peek();
        match &token.kind {
            TokenKind::Symbol("*" | "/") => Some(PRODUCT),
            TokenKind::Symbol("+" | "-") => Some(SUM),
            TokenKind::Symbol("=" | "==" | "<>" | "!=" | "<" | "<=" | ">" | ">=") => Some(COMPARISON),
            TokenKind::Word(_) if token.is_keyword("OR") => Some(OR),
            TokenKind::Word(_) if token.is_keyword("AND") => Some(AND),
            TokenKind::Word(_) if ["IN", "BETWEEN", "IS", "NOT", "LIKE"].iter().any(|word| token.is_keyword(word)) => {
                Some(COMPARISON)
            }
            _ => None,
        }
    }

    fn infix(&mut self, left: Syntax, tightness: u8) -> Result<Syntax, SqlFault> {
        let token = self.next();
        if token.is_keyword("IS") {
            let negated = self.take_keyword("NOT");
            self.expect_keyword("NULL")?;
            let span = left.span.start..self.last_end();
            return Ok(Syntax::new(Node::IsNull { value: Box::new(left), negated }, span));
        }
        let negated = token.is_keyword("NOT");
        let word = if negated { self.next() } else { token };
        if word.is_keyword("IN") {
            return self.membership(left, negated);
        }
        if word.is_keyword("BETWEEN") {
            return self.range(left, negated);
        }
        if negated || word.is_keyword("LIKE") {
            let message = format!("{} cannot follow here", word.shown());
            let fault = SqlFault::new("bad_expression", word.span, message);
            return Err(fault
                .with_help("after a value come IN, BETWEEN, NOT IN or NOT BETWEEN; for texts there is starts_with".to_owned()));
        }
        let operator = operator(&word)?;
        let right = self.expression(tightness + 1)?;
        let span = left.span.start..right.span.end;
        Ok(Syntax::new(Node::Binary(operator, Box::new(left), Box::new(right)), span))
    }

    fn membership(&mut self, value: Syntax, negated: bool) -> Result<Syntax, SqlFault> {
        self.expect_symbol("(")?;
        let list = self.list()?;
        let span = value.span.start..self.last_end();
        if list.is_empty() {
            return Err(SqlFault::new("bad_expression", span, "this IN list is empty"));
        }
        Ok(Syntax::new(Node::In { value: Box::new(value), list, negated }, span))
    }

    fn range(&mut self, value: Syntax, negated: bool) -> Result<Syntax, SqlFault> {
        let low = Box::new(self.expression(SUM)?);
        self.expect_keyword("AND")?;
        let high = Box::new(self.expression(SUM)?);
        let span = value.span.start..high.span.end;
        Ok(Syntax::new(Node::Between { value: Box::new(value), low, high, negated }, span))
    }

    fn prefix(&mut self) -> Result<Syntax, SqlFault> {
        let token = self.next();
        let span = token.span.clone();
        match &token.kind {
            TokenKind::Number(number) => Ok(Syntax::new(Node::Number(*number), span)),
            TokenKind::Text(text) => Ok(Syntax::new(Node::Text(text.clone()), span)),
            TokenKind::Quoted(name) => Ok(Syntax::new(Node::Name { name: name.clone(), quoted: true }, span)),
            TokenKind::Symbol("(") => {
                let inner = self.expression(0)?;
                self.expect_symbol(")")?;
                Ok(inner)
            }
            TokenKind::Symbol("-") => {
                let value = self.expression(SIGN)?;
                let span = span.start..value.span.end;
                let node = match value.node {
                    Node::Number(number) => Node::Number(-number),
                    _ => Node::Negate(Box::new(value)),
                };
                Ok(Syntax::new(node, span))
            }
            TokenKind::Word(_) if token.is_keyword("NOT") => {
                let value = self.expression(NOT)?;
                let span = span.start..value.span.end;
                Ok(Syntax::new(Node::Not(Box::new(value)), span))
            }
            TokenKind::Word(_) if token.is_keyword("TRUE") => Ok(Syntax::new(Node::Boolean(true), span)),
            TokenKind::Word(_) if token.is_keyword("FALSE") => Ok(Syntax::new(Node::Boolean(false), span)),
            TokenKind::Word(_) if token.is_keyword("NULL") => Ok(Syntax::new(Node::Null, span)),
            TokenKind::Word(_) if token.is_keyword("CASE") => self.case(span.start),
            TokenKind::Word(word) if !RESERVED.iter().any(|reserved| token.is_keyword(reserved)) => self.name(word, span),
            _ => {
                self.at = self.at.saturating_sub(usize::from(token.kind != TokenKind::End));
                Err(self.unexpected("a field, a literal or a parenthesis"))
            }
        }
    }

    fn name(&mut self, word: &str, name_span: Range<usize>) -> Result<Syntax, SqlFault> {
        if !self.peek().is_symbol("(") {
            return Ok(Syntax::new(Node::Name { name: word.into(), quoted: false }, name_span));
        }
        self.next();
        let arguments = self.list()?;
        let span = name_span.start..self.last_end();
        Ok(Syntax::new(Node::Call { name: word.into(), name_span, arguments }, span))
    }

    fn case(&mut self, start: usize) -> Result<Syntax, SqlFault> {
        let subject = if self.peek().is_keyword("WHEN") { None } else { Some(Box::new(self.expression(0)?)) };
        let mut arms = Vec::new();
        while self.take_keyword("WHEN") {
            let when = self.expression(0)?;
            self.expect_keyword("THEN")?;
            arms.push((when, self.expression(0)?));
        }
        if arms.is_empty() {
            return Err(self.unexpected("WHEN"));
        }
        let otherwise = if self.take_keyword("ELSE") { Some(Box::new(self.expression(0)?)) } else { None };
        self.expect_keyword("END")?;
        Ok(Syntax::new(Node::Case { subject, arms, otherwise }, start..self.last_end()))
    }

    /// Expressions between commas, up to and with the closing parenthesis.
    fn list(&mut self) -> Result<Vec<Syntax>, SqlFault> {
        let mut items = Vec::new();
        if self.take_symbol(")") {
            return Ok(items);
        }
        loop {
            items.push(self.expression(0)?);
            if self.take_symbol(")") {
                return Ok(items);
            }
            if !self.take_symbol(",") {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn last_end(&self) -> usize {
        self.tokens[self.at.saturating_sub(1)].span.end
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.peek().is_keyword(keyword);
        self.at += usize::from(found);
        found
    }

    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = self.peek().is_symbol(symbol);
        self.at += usize::from(found);
        found
    }

    fn expect_keyword(&mut self, keyword: &str) -> Result<(), SqlFault> {
        if self.take_keyword(keyword) { Ok(()) } else { Err(self.unexpected(keyword)) }
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<(), SqlFault> {
        if self.take_symbol(symbol) { Ok(()) } else { Err(self.unexpected(&format!("`{symbol}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> SqlFault {
        let token = self.peek();
        SqlFault::new("bad_expression", token.span.clone(), format!("expected {wanted}, found {}", token.shown()))
    }
}

fn operator(token: &Token) -> Result<Operator, SqlFault> {
    match &token.kind {
        TokenKind::Symbol("=") => Ok(Operator::Equal),
        TokenKind::Symbol("<>" | "!=") => Ok(Operator::NotEqual),
        TokenKind::Symbol("<") => Ok(Operator::Less),
        TokenKind::Symbol("<=") => Ok(Operator::LessOrEqual),
        TokenKind::Symbol(">") => Ok(Operator::Greater),
        TokenKind::Symbol(">=") => Ok(Operator::GreaterOrEqual),
        TokenKind::Symbol("+") => Ok(Operator::Add),
        TokenKind::Symbol("-") => Ok(Operator::Subtract),
        TokenKind::Symbol("*") => Ok(Operator::Multiply),
        TokenKind::Symbol("/") => Ok(Operator::Divide),
        TokenKind::Word(_) if token.is_keyword("OR") => Ok(Operator::Or),
        TokenKind::Word(_) if token.is_keyword("AND") => Ok(Operator::And),
        _ => {
            let fault = SqlFault::new("bad_expression", token.span.clone(), format!("{} is no operator", token.shown()));
            Err(fault.with_help(token.is_symbol("==").then(|| "write a single `=`".to_owned())))
        }
    }
}

fn too_nested(span: Range<usize>) -> SqlFault {
    let fault = SqlFault::new("expression_too_large", span, format!("this is nested more than {HEIGHT_MAX} levels deep"));
    fault.with_help("use IN for long lists, or split the value over several features".to_owned())
}

#[cfg(test)]
mod tests;
