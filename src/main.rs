//! argv -> run -> print -> exit code. The only place that prints or exits.

#![cfg_attr(not(test), allow(clippy::print_stdout, clippy::print_stderr))]

mod cli;

use cli::{Outcome, Surroundings};
use imgstrip::cancel::Cancel;
use imgstrip::error::{Error, ErrorKind};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use signal_hook::low_level;
use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// How long a run has to stop by itself after a signal, before its temporary files are taken from under it.
const GRACE: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let cancel = Arc::new(Cancel::new());
    let outcome = match watch_signals(&cancel) {
        Ok(()) => cli::run(std::env::args_os(), &surroundings(), &cancel),
        Err(error) => cli::failed(&Error::io("install the signal handlers", error)),
    };
    ExitCode::from(print(&outcome))
}

fn surroundings() -> Surroundings {
    Surroundings {
        source_date_epoch: std::env::var_os("SOURCE_DATE_EPOCH"),
        input_is_terminal: io::stdin().is_terminal(),
        output_is_terminal: io::stdout().is_terminal(),
        error_is_terminal: io::stderr().is_terminal(),
    }
}

/// Prints what is to be said. A closed pipe is a failure: what was asked for did not arrive.
fn print(outcome: &Outcome) -> u8 {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(&outcome.stdout).and_then(|()| stdout.flush());
    let _ = io::stderr().write_all(outcome.stderr.as_bytes());
    match written {
        Ok(()) => outcome.code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "imgstrip: write to standard output: {error}");
            outcome.io_code()
        }
    }
}

/// Starts the thread that waits for signals. The run stops at the next question it asks the token, and then ends
/// as any failed run; one that hangs in a system call, such as a read of a silent pipe, is ended here.
///
/// The thread is woken through a pipe: signal-hook's own iterator makes a pair of sockets, and a run has none at all.
fn watch_signals(cancel: &Arc<Cancel>) -> io::Result<()> {
    // Unhandled it ends the process at once and leaves the temporary file; handled, the write fails and says why.
    flag::register(SIGXFSZ, Arc::default())?;
    let (mut woken, waker) = io::pipe()?;
    let received = Arc::new(AtomicUsize::new(0));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        flag::register_usize(signal, Arc::clone(&received), usize::try_from(signal).unwrap_or(usize::MAX))?;
        low_level::pipe::register(signal, waker.try_clone()?)?;
    }
    let cancel = Arc::clone(cancel);
    thread::Builder::new().name("signals".into()).spawn(move || {
        if woken.read_exact(&mut [0]).is_err() {
            return;
        }
        let number = u8::try_from(received.load(Ordering::SeqCst)).unwrap_or(u8::MAX);
        cancel.signal(number);
        thread::sleep(GRACE);
        cancel.remove_pending();
        let _ = writeln!(io::stderr(), "\nimgstrip: stopped by signal {number}");
        low_level::exit(i32::from(ErrorKind::Signal(number).exit_code()));
    })?;
    Ok(())
}
