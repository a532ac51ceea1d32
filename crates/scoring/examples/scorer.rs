//! Measures one model of 300 trees here, in ONNX Runtime and in LightGBM itself, in turns, so that a busy machine is busy for all.
//!
//! `cargo run --release -p scoring --example scorer`, after `./dev servers install models`. Prints one JSON object.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use scoring::{Limits, Scratch, Session, Signature};

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.headway/servers/models/bin/python3");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/scorer_peers.py");
const FEATURES: usize = 40;
const BATCH: usize = 64;
/// Enough that the median does not move, and ten seconds on two cores.
const ROUNDS: usize = 15;
const SINGLES: usize = 1_000;

/// A Python that answers with the microseconds that calls took.
struct Peers {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peers {
    fn start(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(PYTHON).arg(SCRIPT).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = process.stdin.take().ok_or("no input")?;
        let answers = BufReader::new(process.stdout.take().ok_or("no output")?);
        let mut peers = Self { process, requests, answers };
        while peers.line()? != "ready" {}
        Ok(peers)
    }

    fn ask(&mut self, what: &str) -> Result<Vec<f64>, Box<dyn Error>> {
        writeln!(self.requests, "{what}")?;
        Ok(self.line()?.split_whitespace().map(str::parse).collect::<Result<_, _>>()?)
    }

    fn line(&mut self) -> Result<String, Box<dyn Error>> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("Python ended: is everything there? ./dev servers install models".into());
        }
        Ok(line.trim_end().into())
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what this is run for")]
fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("scorer-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let figures = measure(&folder);
    std::fs::remove_dir_all(&folder)?;
    println!("{}", figures?);
    Ok(())
}

fn measure(folder: &Path) -> Result<String, Box<dyn Error>> {
    let mut peers = Peers::start(folder)?;
    let bytes = std::fs::read(folder.join("rows.f32"))?;
    let rows: Vec<f32> = bytes.as_chunks().0.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect();
    let names: Vec<String> = (0..FEATURES).map(|at| format!("x{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let model = std::fs::read(folder.join("model.onnx"))?;
    let session = Session::open(&model, Signature::of_numbers(&names, &["eta"]), &Limits::default())?;

    let mut took: [Vec<f64>; 6] = Default::default();
    for _ in 0..ROUNDS {
        took[0].extend(ours(&session, &rows[..SINGLES * FEATURES], 1)?);
        took[1].extend(peers.ask("single onnxruntime")?);
        took[2].extend(peers.ask("single lightgbm")?);
        took[3].extend(ours(&session, &rows, BATCH)?);
        took[4].extend(peers.ask("batch onnxruntime")?);
        took[5].extend(peers.ask("batch lightgbm")?);
    }
    let [single, runtime_single, native_single, batch, runtime_batch, native_batch] = took.map(median);
    let rows_of = |batch: f64| batch / BATCH as f64;
    Ok(format!(
        "{{\"single_row_p50_us\":{single:.2},\"batch_row_us\":{:.2},\"onnxruntime_single_p50_us\":{runtime_single:.2},\
         \"onnxruntime_batch_row_us\":{:.2},\"lightgbm_python_single_p50_us\":{native_single:.2},\"lightgbm_python_batch_row_us\":{:.2}}}",
        rows_of(batch),
        rows_of(runtime_batch),
        rows_of(native_batch)
    ))
}

#[expect(clippy::disallowed_methods, reason = "this measures for a person")]
fn ours(session: &Session, rows: &[f32], size: usize) -> Result<Vec<f64>, scoring::Error> {
    let mut scratch = Scratch::default();
    let mut predictions = vec![0.0; size];
    let mut took = Vec::with_capacity(rows.len() / size);
    for rows in rows.chunks_exact(size * FEATURES) {
        let before = Instant::now();
        session.predict(rows, &mut predictions, &mut scratch)?;
        took.push(before.elapsed().as_nanos() as f64 / 1000.0);
    }
    Ok(took)
}

fn median(mut took: Vec<f64>) -> f64 {
    took.sort_by(f64::total_cmp);
    took[took.len() / 2]
}
