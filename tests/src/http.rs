//! A small HTTP server on 127.0.0.1, for clients that need somebody to talk to.

use core::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// What a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// `POST` and the like.
    pub method: String,
    /// The path, with its slash at the beginning.
    pub path: String,
    /// The value of `Content-Type`.
    pub media_type: String,
    /// The body; empty unless its length was stated.
    pub body: Vec<u8>,
}

/// What the client gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer.
    Answer {
        /// The status.
        status: u16,
        /// The value of `Content-Type`.
        media_type: String,
        /// The body.
        body: Vec<u8>,
    },
    /// Nothing, as long as the server lives.
    Silence,
    /// The end of the connection, without a word.
    End,
}

impl Reply {
    /// Makes an answer.
    pub fn answer(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { status, media_type: media_type.to_owned(), body: body.into() }
    }
}

/// A server that runs until it is dropped: a thread that accepts connections, and one for each of them.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    is_over: AtomicBool,
    connections: AtomicUsize,
    /// Connections on which nothing is said.
    silent: Mutex<Vec<Box<dyn Transport>>>,
}

/// What bytes come and go over.
pub trait Transport: io::Read + io::Write + Send + fmt::Debug {}

impl<T: io::Read + io::Write + Send + fmt::Debug> Transport for T {}

/// How long the head of a request, and a body, may be.
const HEAD_BYTES_MAX: u64 = 16_384;
const BODY_BYTES_MAX: usize = 4 << 20;

impl Server {
    /// Starts a server on a free port.
    ///
    /// # Errors
    /// There is no port, or no thread.
    pub fn start(handle: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        Self::start_over(|stream| Ok(Box::new(stream)), handle)
    }

    /// Starts a server that speaks over something else than the bare connection, such as TLS.
    ///
    /// # Errors
    /// There is no port, or no thread.
    pub fn start_over(
        wrap: impl Fn(TcpStream) -> io::Result<Box<dyn Transport>> + Send + Sync + 'static,
        handle: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let (inside, handle) = (Arc::clone(&shared), Arc::new(handle));
        let wrap = move |stream| wrap(stream).ok();
        let accept = move || {
            for stream in listener.incoming() {
                if inside.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let Some(stream) = stream.ok().and_then(&wrap) else { continue };
                inside.connections.fetch_add(1, Ordering::SeqCst);
                let (shared, handle) = (Arc::clone(&inside), Arc::clone(&handle));
                // The connection ends with its client, or when something is not as expected.
                let _detached = thread::Builder::new().spawn(move || serve(stream, &shared, &*handle));
            }
        };
        let thread = thread::Builder::new().name("test-server".to_owned()).spawn(accept)?;
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Returns the URL of the server, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns how many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
        self.shared.silent.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn serve(
    stream: Box<dyn Transport>,
    shared: &Shared,
    handle: &(dyn Fn(&Received) -> Reply + Send + Sync),
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(received) = read(&mut stream)? {
        match handle(&received) {
            Reply::Answer { status, media_type, body } => {
                let head = format!(
                    "HTTP/1.1 {status} Said\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                stream.get_mut().write_all(&[head.as_bytes(), &body].concat())?;
                stream.get_mut().flush()?;
            }
            Reply::Silence => {
                shared.silent.lock().unwrap_or_else(PoisonError::into_inner).push(stream.into_inner());
                return Ok(());
            }
            Reply::End => return Ok(()),
        }
    }
    Ok(())
}

/// Reads one request; none at the end of the connection.
fn read(reader: &mut BufReader<Box<dyn Transport>>) -> io::Result<Option<Received>> {
    let mut head = reader.by_ref().take(HEAD_BYTES_MAX).lines();
    let Some(first) = head.next().transpose()? else { return Ok(None) };
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (mut media_type, mut length) = (String::new(), 0);
    for line in head.by_ref() {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-type" => media_type = value.trim().to_owned(),
            "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
            _ => {}
        }
    }
    if length > BODY_BYTES_MAX {
        return Err(io::Error::other("the body is too long"));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Received { method, path, media_type, body }))
}
