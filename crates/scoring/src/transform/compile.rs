//! From expressions to steps. What two expressions have in common becomes one step: `BETWEEN` and `CASE x` repeat their operand,
//! and transforms share columns. This file never computes a value, but for tables of texts.

use std::collections::BTreeMap;

use domain::ValueKind;
use pipeline::{Arithmetic, Comparison, Expr, Function, Transform, Type};

use super::step::{Register, Rounding, Step, Word};
use super::texts::{Texts, labels, recased};
use super::{Output, Transforms};

/// What an expression became: the register of its value, and how that is read.
type Compiled = (Register, Type);

/// Compiles transforms over a row with inputs of these kinds.
pub(super) fn compile(inputs: &[ValueKind], transforms: &[Transform]) -> Transforms {
    let kinds = inputs.iter().chain(transforms.iter().map(|transform| &transform.kind)).cloned().collect::<Vec<_>>();
    let mut compiler = Compiler { texts: Texts::of(&kinds, transforms), inputs, ..Compiler::default() };
    let mut outputs = Vec::new();
    for transform in transforms {
        let compiled = compiler.expr(&transform.expr);
        let (output, field) = compiler.result(compiled, &transform.kind);
        outputs.push(output);
        compiler.computed.push(field);
    }
    let Compiler { registers, steps, tables, .. } = compiler;
    Transforms { inputs: inputs.len(), registers, steps, tables, outputs }
}

#[derive(Default)]
struct Compiler<'i> {
    inputs: &'i [ValueKind],
    texts: Texts,
    /// What `Expr::Field` means beyond the inputs.
    computed: Vec<Compiled>,
    registers: Vec<Word>,
    steps: Vec<(Register, Step)>,
    tables: Vec<Vec<Word>>,
    /// The registers of constants and steps that are there already.
    constants: BTreeMap<Word, Register>,
    known: BTreeMap<Step, Register>,
}

impl Compiler<'_> {
    fn expr(&mut self, expr: &Expr) -> Compiled {
        match expr {
            Expr::Field(field) => self.field(*field),
            Expr::Number(number) => (self.constant(Some(number.to_bits())), Type::Number),
            Expr::Text(text) => {
                let place = self.texts.place(text);
                (self.constant(place), Type::Text)
            }
            Expr::Boolean(truth) => (self.constant(Some(u64::from(*truth))), Type::Boolean),
            Expr::Null(kind) => (self.constant(None), *kind),
            Expr::Negate(inner) => self.unary(inner, Type::Number, Step::Negate),
            Expr::Not(inner) => self.unary(inner, Type::Boolean, Step::Not),
            Expr::Arithmetic(operator, left, right) => self.arithmetic(*operator, left, right),
            Expr::Compare(comparison, left, right) => {
                let (left, right) = (self.expr(left), self.expr(right));
                self.compare(*comparison, left, right)
            }
            Expr::And(left, right) => self.binary([left, right], Type::Boolean, Step::And),
            Expr::Or(left, right) => self.binary([left, right], Type::Boolean, Step::Or),
            Expr::In(inner, list) => self.contained(inner, list),
            Expr::IsNull(inner) => {
                let (inner, _) = self.expr(inner);
                (self.step(Step::IsNull(inner)), Type::Boolean)
            }
            Expr::Case(branches, otherwise) => self.case(branches, otherwise),
            Expr::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    /// A register is loaded when the first expression names its field.
    fn field(&mut self, field: usize) -> Compiled {
        let Some(kind) = self.inputs.get(field) else { return self.computed[field - self.inputs.len()] };
        match kind {
            ValueKind::Float | ValueKind::Integer => (self.step(Step::LoadNumber(field)), Type::Number),
            ValueKind::Boolean => (self.step(Step::LoadTruth(field)), Type::Boolean),
            ValueKind::Time => (self.step(Step::LoadInteger(field)), Type::Time),
            ValueKind::Category(labels) => {
                let table = labels.iter().map(|label| self.texts.place(label)).collect();
                let place = self.step(Step::LoadInteger(field));
                (self.lookup(table, place), Type::Text)
            }
        }
    }

    /// How a value leaves the program, and what later transforms see of it.
    fn result(&mut self, (register, kind): Compiled, declared: &ValueKind) -> (Output, Compiled) {
        let output = |register| Output { register, is_number: kind == Type::Number };
        let Type::Text = kind else { return (output(register), (register, kind)) };
        let labels = labels(declared).unwrap_or_else(|| panic!("the resolver gives a text transform a list of categories"));
        let place_of = |text: &str| labels.iter().position(|label| label == text).map(|place| place as u64);
        let places: Vec<Word> = self.texts.iter().map(place_of).collect();
        let seen = places.iter().zip(0..).map(|(place, text)| place.map(|_| text)).collect();
        let seen = self.lookup(seen, register);
        (output(self.lookup(places, register)), (seen, Type::Text))
    }

    fn arithmetic(&mut self, operator: Arithmetic, left: &Expr, right: &Expr) -> Compiled {
        let step = match (self.expr(left), self.expr(right)) {
            ((left, Type::Number), (right, Type::Number)) => Step::Arithmetic(operator, left, right),
            ((left, Type::Time), (right, Type::Time)) => Step::Seconds(left, right),
            other => panic!("the resolver promised numbers or times and not {other:?}"),
        };
        (self.step(step), Type::Number)
    }

    fn compare(&mut self, comparison: Comparison, (left, kind): Compiled, (right, other): Compiled) -> Compiled {
        assert_eq!(kind, other, "the resolver promised two of one type");
        let step = match kind {
            Type::Number => Step::CompareNumbers(comparison, left, right),
            Type::Text | Type::Boolean | Type::Time => Step::CompareIntegers(comparison, left, right),
        };
        (self.step(step), Type::Boolean)
    }

    fn contained(&mut self, inner: &Expr, list: &[Expr]) -> Compiled {
        let inner = self.expr(inner);
        let equals: Vec<Register> = list
            .iter()
            .map(|literal| {
                let literal = self.expr(literal);
                self.compare(Comparison::Equal, inner, literal).0
            })
            .collect();
        let found = equals.into_iter().reduce(|found, equal| self.step(Step::Or(found, equal)));
        (found.unwrap_or_else(|| panic!("the resolver refuses an empty list")), Type::Boolean)
    }

    fn case(&mut self, branches: &[(Expr, Expr)], otherwise: &Expr) -> Compiled {
        let (mut chosen, kind) = self.expr(otherwise);
        for (condition, value) in branches.iter().rev() {
            let (condition, value) = (self.want(condition, Type::Boolean), self.want(value, kind));
            chosen = self.step(Step::Choose(condition, value, chosen));
        }
        (chosen, kind)
    }

    fn call(&mut self, function: Function, arguments: &[Expr]) -> Compiled {
        match function {
            Function::Abs => self.rounded(Rounding::Abs, &arguments[0]),
            Function::Floor => self.rounded(Rounding::Floor, &arguments[0]),
            Function::Ceil => self.rounded(Rounding::Ceil, &arguments[0]),
            Function::Round => self.rounded(Rounding::Round, &arguments[0]),
            Function::Sqrt => self.rounded(Rounding::Sqrt, &arguments[0]),
            Function::Least => self.chain(arguments, Type::Number, Step::Least),
            Function::Greatest => self.chain(arguments, Type::Number, Step::Greatest),
            Function::Coalesce => {
                let (_, kind) = self.expr(&arguments[0]);
                self.chain(arguments, kind, Step::Coalesce)
            }
            Function::NullIf => {
                let (value, other) = (self.expr(&arguments[0]), self.expr(&arguments[1]));
                let (equal, _) = self.compare(Comparison::Equal, value, other);
                let null = self.constant(None);
                (self.step(Step::Choose(equal, null, value.0)), value.1)
            }
            Function::Lower | Function::Upper => {
                let text = self.want(&arguments[0], Type::Text);
                let table = self.texts.iter().map(|text| self.texts.place(&recased(function, text))).collect();
                (self.lookup(table, text), Type::Text)
            }
            Function::StartsWith => self.affix(arguments, |text, affix| text.starts_with(affix)),
            Function::EndsWith => self.affix(arguments, |text, affix| text.ends_with(affix)),
            Function::Shrunk => {
                let [value, n, strength, prior] = [0, 1, 2, 3].map(|place| self.want(&arguments[place], Type::Number));
                (self.step(Step::Shrunk(value, n, strength, prior)), Type::Number)
            }
        }
    }

    /// Whether a text begins or ends with a literal.
    fn affix(&mut self, arguments: &[Expr], test: impl Fn(&str, &str) -> bool) -> Compiled {
        let text = self.want(&arguments[0], Type::Text);
        let Expr::Text(affix) = &arguments[1] else { panic!("the resolver promised a literal and not {:?}", arguments[1]) };
        let table = self.texts.iter().map(|text| Some(u64::from(test(text, affix)))).collect();
        (self.lookup(table, text), Type::Boolean)
    }

    fn rounded(&mut self, rounding: Rounding, argument: &Expr) -> Compiled {
        self.unary(argument, Type::Number, |of| Step::Round(rounding, of))
    }

    fn unary(&mut self, inner: &Expr, kind: Type, step: impl Fn(Register) -> Step) -> Compiled {
        let inner = self.want(inner, kind);
        (self.step(step(inner)), kind)
    }

    fn binary(&mut self, [left, right]: [&Expr; 2], kind: Type, step: fn(Register, Register) -> Step) -> Compiled {
        let (left, right) = (self.want(left, kind), self.want(right, kind));
        (self.step(step(left, right)), kind)
    }

    /// One step between each two of the arguments, from the left.
    fn chain(&mut self, arguments: &[Expr], kind: Type, step: fn(Register, Register) -> Step) -> Compiled {
        let registers: Vec<Register> = arguments.iter().map(|argument| self.want(argument, kind)).collect();
        let last = registers.into_iter().reduce(|left, right| self.step(step(left, right)));
        (last.unwrap_or_else(|| panic!("the resolver refuses a call without arguments")), kind)
    }

    fn want(&mut self, expr: &Expr, kind: Type) -> Register {
        let (register, found) = self.expr(expr);
        assert_eq!(found, kind, "the resolver promised another type");
        register
    }

    fn lookup(&mut self, table: Vec<Word>, of: Register) -> Register {
        let table = self.tables.iter().position(|known| *known == table).unwrap_or_else(|| {
            self.tables.push(table);
            self.tables.len() - 1
        });
        self.step(Step::Lookup { table, of })
    }

    fn step(&mut self, step: Step) -> Register {
        if let Some(register) = self.known.get(&step) {
            return *register;
        }
        let register = self.register(None);
        self.steps.push((register, step));
        self.known.insert(step, register);
        register
    }

    fn constant(&mut self, word: Word) -> Register {
        if let Some(register) = self.constants.get(&word) {
            return *register;
        }
        let register = self.register(word);
        self.constants.insert(word, register);
        register
    }

    fn register(&mut self, word: Word) -> Register {
        self.registers.push(word);
        self.registers.len() - 1
    }
}
