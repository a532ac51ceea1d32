//! A Python that computes the same model in other runtimes and answers with what calls took. It ends with this value.

use std::{
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use workbench::ScorerBench;

use crate::failure::Failure;

/// What is looked for in Python, by the beginnings of the names of their figures.
pub(super) const RUNTIMES: [&str; 2] = ["onnxruntime", "lightgbm_python"];
const PROGRAM: &str = include_str!("peers.py");

/// The process and the ways to it.
pub(super) struct Peers {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    runtimes: Vec<&'static str>,
}

impl Peers {
    /// Starts it, and hands it model and rows.
    pub(super) fn start(python: &Path, bench: &ScorerBench) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            let python = python.display();
            Failure::failed(format!("cannot measure with {python}: {error}; name an interpreter of Python 3 by --python"))
        };
        let mut command = Command::new(python);
        command.args(["-c", PROGRAM]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().map_err(failed)?;
        let (Some(requests), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(failed(io::Error::other("it has no input or output")));
        };
        let mut peers = Self { process, requests, answers: BufReader::new(answers), runtimes: Vec::new() };
        peers.hand_over(bench).map_err(failed)?;
        let ready = peers.line().map_err(failed)?;
        peers.runtimes = RUNTIMES.into_iter().filter(|name| ready.split(' ').any(|word| word == *name)).collect();
        Ok(peers)
    }

    /// Those that it has.
    pub(super) fn runtimes(&self) -> Vec<&'static str> {
        self.runtimes.clone()
    }

    /// What it says about a runtime: one number for each call, or for each row.
    pub(super) fn ask(&mut self, what: &str, runtime: &str) -> Result<Vec<f64>, Failure> {
        let mut answer = || {
            writeln!(self.requests, "{what} {runtime}")?;
            let line = self.line()?;
            line.split_whitespace().map(|word| word.parse().map_err(io::Error::other)).collect::<io::Result<Vec<f64>>>()
        };
        answer().map_err(|error| Failure::failed(format!("{runtime} could not be measured: {error}; try another version of it")))
    }

    fn hand_over(&mut self, bench: &ScorerBench) -> io::Result<()> {
        let (onnx, lightgbm) = (bench.forest().onnx(), bench.forest().lightgbm());
        let rows: Vec<u8> = bench.rows().iter().flat_map(|value| value.to_le_bytes()).collect();
        let (features, batch, singles) = (ScorerBench::FEATURES, ScorerBench::BATCH, ScorerBench::SINGLES);
        let sizes = [onnx.len(), lightgbm.len(), rows.len(), features, batch, singles];
        writeln!(self.requests, "{}", sizes.map(|size| size.to_string()).join(" "))?;
        [&onnx[..], lightgbm.as_bytes(), &rows].into_iter().try_for_each(|part| self.requests.write_all(part))?;
        self.requests.flush()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(io::Error::other("Python ended; what it said is above"));
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        // Nothing is lost with it, and one that has ended already is no matter.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
