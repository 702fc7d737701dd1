//! Running a tool of a build.

use std::io::{self, BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::thread;

use super::BuildError;

const STDERR_TAIL_BYTES: usize = 8 << 10;

/// Runs to the end, hands stderr on line by line, and returns stdout.
pub(super) fn run(mut command: Command, on_line: &mut dyn FnMut(&str)) -> Result<Vec<u8>, BuildError> {
    let tool = command.get_program().to_string_lossy().into_owned();
    let missing = |source| BuildError::ToolMissing { tool: tool.clone(), source };
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(missing)?;
    // Read on a thread of its own: a tool that fills one pipe while we wait at the other would never end.
    let stdout = child.stdout.take().map(|mut pipe| {
        thread::spawn(move || {
            let mut output = Vec::new();
            pipe.read_to_end(&mut output).map(|_| output)
        })
    });
    let mut tail = Tail::default();
    if let Some(pipe) = child.stderr.take() {
        for line in BufReader::new(pipe).split(b'\n') {
            let line = line.map_err(missing)?;
            let line = String::from_utf8_lossy(&line);
            on_line(&line);
            tail.push(&line);
        }
    }
    let status = child.wait().map_err(missing)?;
    let output = match stdout.map(thread::JoinHandle::join) {
        Some(Ok(output)) => output.map_err(missing)?,
        Some(Err(_)) | None => return Err(missing(io::Error::other("its output could not be read"))),
    };
    if status.success() {
        Ok(output)
    } else {
        Err(BuildError::ToolFailed { tool, status: status.to_string(), output: tail.0 })
    }
}

/// The last lines a tool printed.
#[derive(Default)]
struct Tail(String);

impl Tail {
    fn push(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
        while self.0.len() > STDERR_TAIL_BYTES {
            match self.0.split_once('\n') {
                Some((_, rest)) if !rest.is_empty() => self.0 = rest.to_owned(),
                _ => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_tool_reports_the_end_of_its_output() {
        let mut command = Command::new("sh");
        command.args(["-c", "seq 1 5000 >&2; echo the cause >&2; exit 3"]);
        let mut lines = 0;
        let error = run(command, &mut |_| lines += 1).unwrap_err();
        let BuildError::ToolFailed { tool, status, output } = error else { panic!("{error}") };
        assert!(tool == "sh" && status.contains('3') && lines == 5001);
        assert!(output.ends_with("5000\nthe cause\n") && output.len() <= STDERR_TAIL_BYTES);
    }

    #[test]
    fn a_tool_that_fills_both_pipes_ends() {
        let mut command = Command::new("sh");
        command.args(["-c", "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2"]);
        assert_eq!(run(command, &mut |_| {}).unwrap().len(), 300_000);
        assert_eq!(run(Command::new("no-such-tool"), &mut |_| {}).unwrap_err().code(), "TOOL_MISSING");
    }
}
