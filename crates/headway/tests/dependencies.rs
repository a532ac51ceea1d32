//! Holds the crate tables of `docs/architecture.md` true: who may import whom, read from `cargo metadata`.
//!
//! The page is the only copy of the rules. This file knows how to read it, plus the few rules that a table cannot say:
//! `testkit` is a dev-dependency only, and some crates may not name some crates from outside. It never builds anything.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const ARCHITECTURE: &str = include_str!("../../../docs/architecture.md");

/// Crates from outside that would break an invariant of `docs/architecture.md`, and the crates that may not name them.
const FOREIGN: [(&str, &[&str]); 4] = [
    // The rules and the oracle must not lean on the kernel that they are there to check.
    ("polars", &["domain", "ports", "pipeline", "testkit", "scoring", "drift", "promotion", "sim", "api", "console"]),
    // Pure crates neither wait nor talk to anybody.
    ("tokio", &["domain", "pipeline", "features", "scoring", "learning", "drift", "promotion"]),
    // Libraries say what happens through `tracing`; who hears of it is the binary's business.
    (
        "opentelemetry",
        &["domain", "ports", "pipeline", "features", "dataplane", "scoring", "io-log", "io-folder", "workbench", "sim"],
    ),
    // Expressions have one parser, ours.
    ("sqlparser", &["domain", "pipeline", "features", "scoring", "testkit", "workbench", "headway"]),
];

/// What one row of the tables allows.
#[derive(Debug, PartialEq)]
enum Allowed {
    Everything,
    Only(BTreeSet<String>),
}

/// One line of a crate's manifest.
#[derive(Clone, Debug)]
struct Dependency {
    from: String,
    to: String,
    dev: bool,
}

#[test]
fn the_workspace_keeps_to_the_tables() {
    let (crates, dependencies) = workspace();
    let found = faults(&table(ARCHITECTURE), &crates, &dependencies);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn the_workspace_is_really_read() {
    let (crates, dependencies) = workspace();
    assert!(crates.contains("headway") && crates.contains("domain"), "{crates:?}");
    assert!(dependencies.iter().any(|line| line.from == "features" && line.to == "domain" && !line.dev), "{dependencies:?}");
    assert!(dependencies.iter().any(|line| line.from == "features" && line.to == "polars"), "{dependencies:?}");
}

#[test]
fn the_page_says_what_it_should() {
    let table = table(ARCHITECTURE);
    assert_eq!(table.get("headway"), Some(&Allowed::Everything));
    assert_eq!(table.get("domain"), Some(&Allowed::Only(BTreeSet::new())));
    assert_eq!(table.get("io-*"), Some(&Allowed::Only(["domain", "ports"].map(String::from).into())));
    for (plane, other) in [("dataplane", "controlplane"), ("controlplane", "dataplane")] {
        assert!(matches!(&table[plane], Allowed::Only(names) if !names.contains(other)), "{plane} may import {other}");
    }
    for (name, allowed) in &table {
        if let Allowed::Only(names) = allowed {
            assert!(!names.iter().any(|other| other.starts_with("io-")), "{name} may import an adapter");
            assert!(!names.contains("testkit") && !names.contains("headway"), "{name}: {names:?}");
            let unknown: Vec<_> = names.iter().filter(|other| !table.contains_key(*other)).collect();
            assert!(unknown.is_empty(), "the row of {name} names crates without a row: {unknown:?}");
        }
    }
}

#[test]
fn what_the_tables_allow_passes() {
    check("features", "pipeline", &[]);
    check("dataplane", "features", &[]);
    check("io-kafka", "ports", &[]);
    check("headway", "io-kafka", &[]);
    check("features", "dev testkit", &[]);
    check("features", "serde", &[]);
}

#[test]
fn an_edge_against_the_direction_is_a_fault() {
    check("domain", "pipeline", &["`domain` may not import `pipeline`"]);
    check("pipeline", "features", &["`pipeline` may not import `features`"]);
    check("testkit", "features", &["`testkit` may not import `features`"]);
    check("features", "dev workbench", &["`features` may not import `workbench`"]);
}

#[test]
fn planes_do_not_import_each_other() {
    check("dataplane", "controlplane", &["`dataplane` may not import `controlplane`"]);
    check("controlplane", "dataplane", &["`controlplane` may not import `dataplane`"]);
}

#[test]
fn adapters_know_ports_only_and_are_named_by_the_binary_only() {
    check("io-kafka", "io-redis", &["`io-kafka` may not import `io-redis`"]);
    check("io-kafka", "pipeline", &["`io-kafka` may not import `pipeline`"]);
    check("workbench", "io-kafka", &["`workbench` may not import `io-kafka`"]);
}

#[test]
fn testkit_is_for_tests_only() {
    check("workbench", "testkit", &["`testkit` is a dev-dependency only"]);
    check("headway", "testkit", &["`testkit` is a dev-dependency only"]);
}

#[test]
fn some_crates_from_outside_are_not_for_everybody() {
    check("pipeline", "polars", &["`pipeline` may not name `polars`"]);
    check("testkit", "polars-core", &["`testkit` may not name `polars-core`"]);
    check("features", "tokio", &["`features` may not name `tokio`"]);
    check("dataplane", "opentelemetry", &["`dataplane` may not name `opentelemetry`"]);
    check("features", "polars", &[]);
}

#[test]
fn a_crate_without_a_row_is_a_fault() {
    check("surprise", "serde", &["`surprise` has no row"]);
}

/// The faults of a workspace in which `from` depends on `to` (`dev x`: only for tests), each by its beginning.
fn check(from: &str, to: &str, expected: &[&str]) {
    let (to, dev) = to.strip_prefix("dev ").map_or((to, false), |to| (to, true));
    let mut crates: BTreeSet<String> = table(ARCHITECTURE).into_keys().filter(|name| name != "io-*").collect();
    crates.extend([from, "io-kafka", "io-redis"].map(String::from));
    let dependency = Dependency { from: from.into(), to: to.into(), dev };
    let found = faults(&table(ARCHITECTURE), &crates, &[dependency]);
    assert_eq!(found.len(), expected.len(), "{from} -> {to}: {found:?}");
    for (fault, beginning) in found.iter().zip(expected) {
        assert!(fault.starts_with(beginning), "{fault:?} does not start with {beginning:?}");
    }
}

/// Everything in the workspace that the tables do not allow.
fn faults(table: &BTreeMap<String, Allowed>, crates: &BTreeSet<String>, dependencies: &[Dependency]) -> Vec<String> {
    let unlisted = crates.iter().filter(|name| row(table, name).is_none());
    let mut faults: Vec<String> = unlisted
        .map(|name| format!("`{name}` has no row in docs/architecture.md: add one that says what it may import."))
        .collect();
    for Dependency { from, to, dev } in dependencies {
        if !crates.contains(to) {
            let forbidden = FOREIGN.iter().any(|(family, closed)| is_of_family(to, family) && closed.contains(&from.as_str()));
            if forbidden {
                faults.push(format!("`{from}` may not name `{to}`: see the invariants in docs/architecture.md."));
            }
        } else if to == "testkit" {
            if !dev {
                faults.push(format!("`testkit` is a dev-dependency only: move it in crates/{from}/Cargo.toml."));
            }
        } else if let Some(Allowed::Only(names)) = row(table, from)
            && !names.contains(to)
        {
            faults.push(format!(
                "`{from}` may not import `{to}`, only {names:?}: move what is shared into a crate that both may import, or \
                 argue for the new direction in docs/adr/ and change the row in docs/architecture.md."
            ));
        }
    }
    faults
}

/// `polars` stands for `polars-core` and the like, too.
fn is_of_family(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The row of a crate; all adapters share one.
fn row<'a>(table: &'a BTreeMap<String, Allowed>, name: &str) -> Option<&'a Allowed> {
    table.get(if name.starts_with("io-") { "io-*" } else { name })
}

/// The rows of a page that read: crate, what it holds, what it may import.
fn table(page: &str) -> BTreeMap<String, Allowed> {
    let mut table = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _, imports] = cells[..] else { panic!("a crate's row has three cells: {line}") };
        let allowed = match imports {
            "everything" => Allowed::Everything,
            "nothing" => Allowed::Only(BTreeSet::new()),
            names => Allowed::Only(names.split_whitespace().map(|name| unquoted(name, line)).collect()),
        };
        let before = table.insert(unquoted(name, line), allowed);
        assert!(before.is_none(), "a second row for the same crate: {line}");
    }
    table
}

fn unquoted(name: &str, line: &str) -> String {
    let inner = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
    inner.unwrap_or_else(|| panic!("{name:?} is not a crate's name in backticks: {line}")).into()
}

/// The crates of this workspace and all lines of their manifests.
fn workspace() -> (BTreeSet<String>, Vec<Dependency>) {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path", manifest];
    let output = Command::new(cargo).args(arguments).output().expect("cargo starts, as it started this test");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON");

    let mut crates = BTreeSet::new();
    let mut dependencies = Vec::new();
    for package in metadata["packages"].as_array().expect("a list of packages") {
        let from = text(&package["name"]);
        for dependency in package["dependencies"].as_array().expect("a list of dependencies") {
            let dev = dependency["kind"] == "dev";
            dependencies.push(Dependency { from: from.clone(), to: text(&dependency["name"]), dev });
        }
        crates.insert(from);
    }
    (crates, dependencies)
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").into()
}
