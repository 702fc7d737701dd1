//! What a guest writes to its standard streams: kept as lines, within bounds, until the cell puts them into the strategy's log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use portcullis_cell::{LOG_LINE_BYTES_MAX, OutputLine};
use portcullis_core::LogLevel;
use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::pipe::ClosedInputStream;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamResult};

/// Most lines kept between two calls. The log of one event takes at most 32.
const LINES_MAX: usize = 32;

/// Most bytes that one write may hand over.
const WRITE_BYTES_MAX: usize = 4_096;

/// Lines in the order they were written, from both streams.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    whole: Vec<OutputLine>,
    /// The beginnings of lines of output and of errors.
    open: [Vec<u8>; 2],
}

impl Lines {
    fn write(&mut self, stream: Stream, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                self.end(stream);
                continue;
            }
            let [output, errors] = &mut self.open;
            let open = if stream == Stream::Output { output } else { errors };
            // The rest of a line that is too long is dropped, as the log would cut it.
            if open.len() < LOG_LINE_BYTES_MAX {
                open.push(*byte);
            }
        }
    }

    fn end(&mut self, stream: Stream) {
        let [output, errors] = &mut self.open;
        let (open, level) = match stream {
            Stream::Output => (output, LogLevel::Info),
            Stream::Errors => (errors, LogLevel::Warn),
        };
        let bytes = std::mem::take(open);
        if self.whole.len() < LINES_MAX && !bytes.is_empty() {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            self.whole.push(OutputLine { level, text });
        }
    }
}

/// Lines shared between a guest's streams and its cell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output(Arc<Mutex<Lines>>);

impl Output {
    /// Takes the lines that are whole, and ends those that are not: a call's output does not run into the next one's.
    pub(crate) fn take(&self) -> Vec<OutputLine> {
        let mut lines = self.lines();
        lines.end(Stream::Output);
        lines.end(Stream::Errors);
        std::mem::take(&mut lines.whole)
    }

    /// Standard output or standard error.
    pub(crate) fn stream(&self, stream: Stream) -> LogStream {
        LogStream { lines: self.clone(), stream }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Errors,
}

/// A stream into the strategy's log. It always takes what is written; what is beyond the bounds is dropped.
#[derive(Debug, Clone)]
pub(crate) struct LogStream {
    lines: Output,
    stream: Stream,
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Of the other interface version, which is not linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.lines.lines().write(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

/// Standard input, at its end from the start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoInput;

impl IsTerminal for NoInput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for NoInput {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(tokio::io::empty())
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(ClosedInputStream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(output: &Output) -> Vec<(LogLevel, String)> {
        output.take().into_iter().map(|line| (line.level, line.text)).collect()
    }

    #[test]
    fn lines_keep_their_order_and_streams_their_level() {
        let output = Output::default();
        let (mut out, mut err) = (output.stream(Stream::Output), output.stream(Stream::Errors));
        out.write(Bytes::from_static(b"one\ntw")).unwrap();
        err.write(Bytes::from_static(b"bad\n")).unwrap();
        out.write(Bytes::from_static(b"o\nopen")).unwrap();
        let expected = [
            (LogLevel::Info, "one".to_owned()),
            (LogLevel::Warn, "bad".to_owned()),
            (LogLevel::Info, "two".to_owned()),
            (LogLevel::Info, "open".to_owned()),
        ];
        assert_eq!(texts(&output), expected);
        assert_eq!(texts(&output), []);
    }

    #[test]
    fn a_flood_is_cut() {
        let output = Output::default();
        let mut out = output.stream(Stream::Output);
        out.write(Bytes::from(vec![b'x'; 10 * LOG_LINE_BYTES_MAX])).unwrap();
        out.write(Bytes::from("\nline".repeat(1_000))).unwrap();
        let lines = output.take();
        assert_eq!((lines.len(), lines[0].text.len()), (LINES_MAX, LOG_LINE_BYTES_MAX));
    }
}
