//! Ctrl-C.
#![cfg(unix)]

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::support::*;

#[test]
fn an_interrupt_ends_quietly_with_the_usual_status() {
    for args in [&["dump", "--order", "file", "-"][..], &["dump", "-"], &["info", "-"], &["buffers", "-"]] {
        let mut child = command()
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(&two_processors().to_bytes()).expect("it reads");
        if args[0] == "dump" {
            // Something is printed, so it is at work.
            child.stdout.as_mut().expect("a pipe").read_exact(&mut [0; 10]).expect("some output");
        } else {
            // What it reads next shows that it is at work: more than a pipe holds.
            input.write_all(&vec![0; 1_000_000]).expect("it reads");
        }
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
        let output = child.wait_with_output().expect("the command ends");
        assert_eq!(output.status.code(), Some(130), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
        drop(input);
    }
}
