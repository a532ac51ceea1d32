//! Function calls: known names with the right number and types of arguments.

use std::ops::Range;

use super::{Checker, Typed};
use crate::expression::{Expr, Function, Type};
use crate::sql::function::{FUNCTIONS, Signature, Takes};
use crate::sql::syntax::Syntax;
use crate::suggestion::did_you_mean;

impl<'s> Checker<'s> {
    /// Types a call.
    pub(super) fn call(
        &mut self,
        name: &str,
        name_span: &Range<usize>,
        arguments: &[Syntax],
        span: &Range<usize>,
    ) -> Option<Typed<'s>> {
        let lowered = name.to_lowercase();
        let Some(signature) = FUNCTIONS.iter().find(|signature| signature.name == lowered) else {
            let help = did_you_mean(name, FUNCTIONS.iter().map(|signature| signature.name));
            self.fault("unknown_function", name_span, format!("there is no function `{name}`"), help);
            return None;
        };
        let visited: Vec<_> = arguments.iter().map(|argument| self.visit(argument)).collect();
        if !signature.accepts(arguments.len()) {
            let message = format!("`{lowered}` does not take {} arguments", arguments.len());
            self.fault("type_mismatch", span, message, Some(format!("write {lowered}{}", signature.usage())));
            return None;
        }
        let arguments = visited.into_iter().collect::<Option<Vec<_>>>()?;
        let nodes = arguments.iter().map(|argument| argument.nodes).sum();
        let kind = self.argument_kind(signature, &arguments)?;
        if signature.function == Function::NullIf
            && let [left, right] = arguments.as_slice()
        {
            self.label(left.labels, right);
        }
        let arguments = arguments.into_iter().map(|argument| self.want(argument, kind)).collect::<Option<Vec<_>>>()?;
        self.bounded(Expr::Call(signature.function, arguments), signature.gives.unwrap_or(kind), nodes, span)
    }

    fn argument_kind(&mut self, signature: &Signature, arguments: &[Typed<'s>]) -> Option<Type> {
        match signature.takes {
            Takes::One(kind) => Some(kind),
            Takes::Numbers => Some(Type::Number),
            Takes::Alike | Takes::TwoAlike => self.alike(&arguments.iter().collect::<Vec<_>>()),
            Takes::TextAndLiteral => match arguments.last() {
                Some(Typed { expr: Expr::Text(_), .. }) | None => Some(Type::Text),
                Some(other) => {
                    let message = format!("the second argument of `{}` is a text literal", signature.name);
                    self.fault("type_mismatch", &other.span, message, Some("write it in single quotes".into()));
                    None
                }
            },
        }
    }
}
