//! Types: turns an untyped tree into an [`Expr`] that an evaluator may rely on, or says what does not fit and where.

mod call;

use std::ops::Range;

use super::syntax::{Node, Operator, Syntax};
use super::{Checked, NODES_MAX, Scope, SqlFault};
use crate::expression::{Arithmetic, Comparison, Expr, Type};
use crate::suggestion::did_you_mean;

/// Gives a tree its types.
pub(super) fn check(syntax: &Syntax, scope: &Scope) -> Result<Checked, Vec<SqlFault>> {
    let mut checker = Checker { scope, faults: Vec::new() };
    let typed = checker.visit(syntax).and_then(|typed| {
        if typed.kind.is_none() {
            checker.fault("type_mismatch", &syntax.span, "a bare NULL says nothing".into(), None);
        }
        Some(Checked { kind: typed.kind?, expr: typed.expr })
    });
    match typed {
        Some(checked) if checker.faults.is_empty() => Ok(checked),
        _ => Err(checker.faults),
    }
}

/// An expression with a type; the literal NULL has none until its place gives it one.
#[derive(Clone)]
struct Typed<'s> {
    expr: Expr,
    kind: Option<Type>,
    /// The texts that a category can be.
    labels: Option<&'s [String]>,
    nodes: usize,
    span: Range<usize>,
}

impl Typed<'_> {
    /// The expression, NULL having the type that its place asks for.
    fn of(self, kind: Type) -> Expr {
        if self.kind.is_none() { Expr::Null(kind) } else { self.expr }
    }
}

struct Checker<'s> {
    scope: &'s Scope,
    faults: Vec<SqlFault>,
}

impl<'s> Checker<'s> {
    /// None after a fault, or where a name at fault already makes checking pointless.
    fn visit(&mut self, syntax: &Syntax) -> Option<Typed<'s>> {
        let span = &syntax.span;
        match &syntax.node {
            Node::Name { name, quoted } => self.name(name, *quoted, span),
            Node::Number(number) => Some(leaf(Expr::Number(*number), Some(Type::Number), span)),
            Node::Text(text) => Some(leaf(Expr::Text(text.clone()), Some(Type::Text), span)),
            Node::Boolean(truth) => Some(leaf(Expr::Boolean(*truth), Some(Type::Boolean), span)),
            Node::Null => Some(leaf(Expr::Null(Type::Boolean), None, span)),
            Node::Negate(value) => self.unary(value, Type::Number, span, Expr::Negate),
            Node::Not(value) => self.unary(value, Type::Boolean, span, Expr::Not),
            Node::Binary(operator, left, right) => self.binary(*operator, left, right, span),
            Node::In { value, list, negated } => self.membership(value, list, *negated, span),
            Node::Between { value, low, high, negated } => self.range([value, low, high], *negated, span),
            Node::IsNull { value, negated } => {
                let value = self.visit(value)?;
                let nodes = value.nodes;
                self.known(&value)?;
                self.truth(negate(Expr::IsNull(Box::new(value.expr)), *negated), nodes, span)
            }
            Node::Case { subject, arms, otherwise } => self.case(subject.as_deref(), arms, otherwise.as_deref(), span),
            Node::Call { name, name_span, arguments } => self.call(name, name_span, arguments, span),
        }
    }

    fn name(&mut self, name: &str, quoted: bool, span: &Range<usize>) -> Option<Typed<'s>> {
        let scope = self.scope;
        let found = scope.names.iter().position(|known| known.name == name);
        if let Some(place) = found {
            let known = &scope.names[place];
            let labels = known.labels.as_deref();
            return Some(Typed { labels, ..leaf(Expr::Field(place), Some(known.kind), span) });
        }
        if !scope.is_broken(name) {
            let near = did_you_mean(name, scope.names.iter().map(|known| known.name.as_str()));
            let help = if quoted { Some(format!("texts stand in single quotes: '{name}'")) } else { near };
            self.fault("unknown_field", span, format!("there is no `{name}` among {}", scope.noun), help);
        }
        None
    }

    fn unary(&mut self, value: &Syntax, kind: Type, span: &Range<usize>, build: fn(Box<Expr>) -> Expr) -> Option<Typed<'s>> {
        let value = self.visit(value)?;
        let nodes = value.nodes;
        let inner = self.want(value, kind)?;
        self.bounded(build(Box::new(inner)), kind, nodes, span)
    }

    fn binary(&mut self, operator: Operator, left: &Syntax, right: &Syntax, span: &Range<usize>) -> Option<Typed<'s>> {
        // Both sides are visited before either gives up, so that both are reported.
        let (left, right) = (self.visit(left), self.visit(right));
        let (left, right) = (left?, right?);
        let nodes = left.nodes + right.nodes;
        if let Operator::And | Operator::Or = operator {
            let (left, right) = (self.want(left, Type::Boolean), self.want(right, Type::Boolean));
            let (left, right) = (Box::new(left?), Box::new(right?));
            let expr = if operator == Operator::And { Expr::And(left, right) } else { Expr::Or(left, right) };
            return self.truth(expr, nodes, span);
        }
        if let Some(comparison) = comparison(operator) {
            let expr = self.compare(comparison, left, right, span)?;
            return self.truth(expr, nodes, span);
        }
        let arithmetic = arithmetic(operator)?;
        let both_times = left.kind == Some(Type::Time) && right.kind == Some(Type::Time);
        let kind = if both_times && arithmetic == Arithmetic::Subtract { Type::Time } else { Type::Number };
        let (left, right) = (self.want(left, kind), self.want(right, kind));
        self.bounded(Expr::Arithmetic(arithmetic, Box::new(left?), Box::new(right?)), Type::Number, nodes, span)
    }

    fn compare(&mut self, comparison: Comparison, left: Typed<'s>, right: Typed<'s>, span: &Range<usize>) -> Option<Expr> {
        if left.kind.is_none() || right.kind.is_none() {
            let help = "write IS NULL or IS NOT NULL".to_owned();
            self.fault("null_comparison", span, "a comparison with NULL never holds".into(), Some(help));
            return None;
        }
        let kind = self.alike(&[&left, &right])?;
        if kind == Type::Boolean && !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
            self.fault("type_mismatch", span, "true and false have no order".into(), Some("compare them with = or <>".into()));
            return None;
        }
        self.label(left.labels, &right);
        self.label(right.labels, &left);
        Some(Expr::Compare(comparison, Box::new(left.expr), Box::new(right.expr)))
    }

    fn membership(&mut self, value: &Syntax, list: &[Syntax], negated: bool, span: &Range<usize>) -> Option<Typed<'s>> {
        let value = self.visit(value);
        let items: Vec<Typed<'s>> = list.iter().filter_map(|item| self.literal(item)).collect();
        let value = value?;
        let kind = self.known(&value)?;
        items.iter().for_each(|item| self.label(value.labels, item));
        let nodes = value.nodes + items.len();
        let items: Option<Vec<Expr>> = items.into_iter().map(|item| self.want(item, kind)).collect();
        self.truth(negate(Expr::In(Box::new(value.expr), items?), negated), nodes, span)
    }

    fn literal(&mut self, item: &Syntax) -> Option<Typed<'s>> {
        if let Node::Number(_) | Node::Text(_) | Node::Boolean(_) = item.node {
            return self.visit(item);
        }
        let help = "write the value itself, or compare with = and OR".to_owned();
        self.fault("type_mismatch", &item.span, "a list holds numbers, texts, TRUE or FALSE only".into(), Some(help));
        None
    }

    fn range(&mut self, parts: [&Syntax; 3], negated: bool, span: &Range<usize>) -> Option<Typed<'s>> {
        let [value, low, high] = parts.map(|part| self.visit(part));
        let (value, low, high) = (value?, low?, high?);
        let nodes = 2 * value.nodes + low.nodes + high.nodes + 2;
        self.within(nodes, span)?;
        let above = self.compare(Comparison::GreaterOrEqual, value.clone(), low, span);
        let below = self.compare(Comparison::LessOrEqual, value, high, span);
        self.truth(negate(Expr::And(Box::new(above?), Box::new(below?)), negated), nodes, span)
    }

    fn case(
        &mut self,
        subject: Option<&Syntax>,
        arms: &[(Syntax, Syntax)],
        otherwise: Option<&Syntax>,
        span: &Range<usize>,
    ) -> Option<Typed<'s>> {
        let compared = subject.map(|subject| self.visit(subject));
        let visited: Vec<_> = arms.iter().map(|(when, then)| (self.visit(when), self.visit(then))).collect();
        let otherwise = match otherwise {
            Some(otherwise) => self.visit(otherwise)?,
            None => leaf(Expr::Null(Type::Boolean), None, span),
        };
        let compared = match compared {
            Some(subject) => Some(subject?),
            None => None,
        };
        let arms = visited.into_iter().map(|(when, then)| Some((when?, then?))).collect::<Option<Vec<_>>>()?;
        let repeated = compared.as_ref().map_or(0, |subject| subject.nodes + 1) * arms.len();
        let nodes = arms.iter().map(|(when, then)| when.nodes + then.nodes).sum::<usize>() + otherwise.nodes + repeated;
        self.within(nodes, span)?;
        let (conditions, values): (Vec<_>, Vec<_>) = arms.into_iter().unzip();
        let kind = self.alike(&values.iter().chain([&otherwise]).collect::<Vec<_>>())?;
        let conditions: Vec<Option<Expr>> = conditions
            .into_iter()
            .map(|when| match &compared {
                Some(subject) => {
                    let place = when.span.clone();
                    self.compare(Comparison::Equal, subject.clone(), when, &place)
                }
                None => self.want(when, Type::Boolean),
            })
            .collect();
        let conditions = conditions.into_iter().collect::<Option<Vec<_>>>()?;
        let arms = conditions.into_iter().zip(values.into_iter().map(|value| value.of(kind))).collect();
        self.bounded(Expr::Case(arms, Box::new(otherwise.of(kind))), kind, nodes, span)
    }

    /// The one type that several expressions have, NULLs aside.
    fn alike(&mut self, all: &[&Typed<'s>]) -> Option<Type> {
        let Some((first, kind)) = all.iter().find_map(|typed| typed.kind.map(|kind| (*typed, kind))) else {
            let span = all.first().map_or(0..0, |typed| typed.span.clone());
            self.fault("type_mismatch", &span, "these are all NULL".into(), None);
            return None;
        };
        let other = all.iter().find_map(|typed| typed.kind.filter(|other| *other != kind).map(|other| (*typed, other)));
        let Some((other, other_kind)) = other else { return Some(kind) };
        let message = format!("{} and {} do not go together", phrase(kind), phrase(other_kind));
        let span = first.span.start.min(other.span.start)..first.span.end.max(other.span.end);
        self.fault("type_mismatch", &span, message, None);
        None
    }

    fn want(&mut self, typed: Typed<'s>, kind: Type) -> Option<Expr> {
        match typed.kind {
            Some(found) if found != kind => {
                let message = format!("expected {}, found {}", phrase(kind), phrase(found));
                self.fault("type_mismatch", &typed.span, message, None);
                None
            }
            _ => Some(typed.of(kind)),
        }
    }

    fn known(&mut self, typed: &Typed<'s>) -> Option<Type> {
        if typed.kind.is_none() {
            self.fault("type_mismatch", &typed.span, "a bare NULL says nothing".into(), None);
        }
        typed.kind
    }

    /// A text literal beside a category has to be one of its labels.
    fn label(&mut self, labels: Option<&[String]>, literal: &Typed<'s>) {
        if let (Some(labels), Expr::Text(text)) = (labels, &literal.expr)
            && !labels.contains(text)
        {
            let help = did_you_mean(text, labels.iter().map(String::as_str));
            self.fault("unknown_category", &literal.span, format!("the category has no value '{text}'"), help);
        }
    }

    fn truth(&mut self, expr: Expr, nodes: usize, span: &Range<usize>) -> Option<Typed<'s>> {
        self.bounded(expr, Type::Boolean, nodes, span)
    }

    fn bounded(&mut self, expr: Expr, kind: Type, nodes: usize, span: &Range<usize>) -> Option<Typed<'s>> {
        self.within(nodes + 1, span)?;
        Some(Typed { nodes: nodes + 1, ..leaf(expr, Some(kind), span) })
    }

    fn within(&mut self, nodes: usize, span: &Range<usize>) -> Option<()> {
        if nodes > NODES_MAX {
            let help = "BETWEEN and CASE x repeat their operand; nest them less".to_owned();
            self.fault("expression_too_large", span, format!("this amounts to more than {NODES_MAX} operations"), Some(help));
            return None;
        }
        Some(())
    }

    fn fault(&mut self, code: &'static str, span: &Range<usize>, message: String, help: Option<String>) {
        self.faults.push(SqlFault::new(code, span.clone(), message).with_help(help));
    }
}

/// A type as messages call it.
pub(crate) fn phrase(kind: Type) -> &'static str {
    match kind {
        Type::Number => "a number",
        Type::Text => "a text",
        Type::Boolean => "a condition",
        Type::Time => "a time",
    }
}

fn leaf<'s>(expr: Expr, kind: Option<Type>, span: &Range<usize>) -> Typed<'s> {
    Typed { expr, kind, labels: None, nodes: 1, span: span.clone() }
}

fn negate(expr: Expr, negated: bool) -> Expr {
    if negated { Expr::Not(Box::new(expr)) } else { expr }
}

fn comparison(operator: Operator) -> Option<Comparison> {
    match operator {
        Operator::Equal => Some(Comparison::Equal),
        Operator::NotEqual => Some(Comparison::NotEqual),
        Operator::Less => Some(Comparison::Less),
        Operator::LessOrEqual => Some(Comparison::LessOrEqual),
        Operator::Greater => Some(Comparison::Greater),
        Operator::GreaterOrEqual => Some(Comparison::GreaterOrEqual),
        _ => None,
    }
}

fn arithmetic(operator: Operator) -> Option<Arithmetic> {
    match operator {
        Operator::Add => Some(Arithmetic::Add),
        Operator::Subtract => Some(Arithmetic::Subtract),
        Operator::Multiply => Some(Arithmetic::Multiply),
        Operator::Divide => Some(Arithmetic::Divide),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
