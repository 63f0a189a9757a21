//! A plain WASI program in Rust: one frame on standard input for each call of
//! `handle_pcap`, written to a pcap file through a static `Mutex<File>`.
//!   whelk ext load t rust_tracer.wasm@net.tap:handle_pcap
//! The file is /trace/rust.pcap in the guest.
use std::fs::File;
use std::io::{stdin, Read, Write};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

static FILE: Mutex<Option<File>> = Mutex::new(None);

fn begin() -> std::io::Result<File> {
    let mut file = File::create("/trace/rust.pcap")?;
    let mut header = Vec::new();
    header.extend_from_slice(&0xa1b2_3c4du32.to_le_bytes()); // nanoseconds
    header.extend_from_slice(&2u16.to_le_bytes());
    header.extend_from_slice(&4u16.to_le_bytes());
    for field in [0u32, 0, 65535, 1] {
        header.extend_from_slice(&field.to_le_bytes());
    }
    file.write_all(&header)?;
    Ok(file)
}

fn record() -> std::io::Result<()> {
    let mut frame = Vec::new();
    stdin().lock().read_to_end(&mut frame)?;
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let length = frame.len() as u32;
    let mut out = Vec::with_capacity(16 + frame.len());
    for field in [time.as_secs() as u32, time.subsec_nanos(), length, length] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    out.extend_from_slice(&frame);
    let mut file = FILE.lock().unwrap();
    if file.is_none() {
        *file = Some(begin()?);
    }
    // One write for each record: nothing is held back when it is unloaded.
    file.as_mut().unwrap().write_all(&out)
}

#[no_mangle]
pub extern "C" fn handle_pcap() {
    if let Err(e) = record() {
        eprintln!("/trace/rust.pcap: {}", e);
    }
}

extern "C" {
    fn __wasm_call_ctors();
}

/// Called once, before anything else. Without it the linker wraps every export
/// in the constructors and destructors of a command.
#[no_mangle]
pub extern "C" fn _initialize() {
    unsafe { __wasm_call_ctors() }
}
