//! How commands and replies are written, RESP2: <https://redis.io/docs/latest/develop/reference/protocol-spec/>. Replies are read as
//! far as the commands of this client have them: no lists.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The longest first line of a reply in bytes; an error's is the longest.
const LINE: u64 = 64 * 1024;

/// The longest text in bytes; what is kept here is much shorter.
const TEXT: usize = 16 * 1024 * 1024;

/// What Redis replied.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// A text, or a word such as `OK`.
    Text(String),
    /// A number.
    Number(i64),
    /// There is nothing.
    Nothing,
}

/// Adds a command to what is to be sent.
pub fn write(to: &mut Vec<u8>, command: &[&str]) {
    to.extend_from_slice(format!("*{}\r\n", command.len()).as_bytes());
    for word in command {
        to.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
    }
}

/// Reads the next reply, which may be a refusal.
///
/// # Errors
/// When the connection is lost, or the other end speaks something else.
pub async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Result<Reply, String>> {
    let line = line(from).await?;
    let mut characters = line.chars();
    let (kind, rest) = (characters.next(), characters.as_str());
    match kind {
        Some('+') => Ok(Ok(Reply::Text(rest.to_owned()))),
        Some('-') => Ok(Err(rest.to_owned())),
        Some(':') => rest.parse().map(|number| Ok(Reply::Number(number))).map_err(|_| unexpected("a number is none")),
        Some('$') if rest == "-1" => Ok(Ok(Reply::Nothing)),
        Some('$') => {
            let length = rest.parse().ok().filter(|length| *length <= TEXT);
            text(from, length.ok_or_else(|| unexpected("a length is none"))?).await.map(|text| Ok(Reply::Text(text)))
        }
        _ => Err(unexpected("a reply of another kind")),
    }
}

/// The next line without its end.
async fn line(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut line = String::new();
    from.take(LINE).read_line(&mut line).await?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None if line.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
        None => Err(unexpected("a line has no end")),
    }
}

/// A text of so many bytes, with its end.
async fn text(from: &mut (impl AsyncBufRead + Unpin), length: usize) -> io::Result<String> {
    let mut bytes = vec![0; length + 2];
    from.read_exact(&mut bytes).await?;
    if bytes.split_off(length) != b"\r\n" {
        return Err(unexpected("a text has no end"));
    }
    String::from_utf8(bytes).map_err(|_| unexpected("a text is not UTF-8"))
}

/// The error of an answer that Redis does not give.
pub fn unexpected(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_counted_in_bytes() {
        let mut sent = Vec::new();
        write(&mut sent, &["SET", "k", "ü"]);
        assert_eq!(sent, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\nü\r\n".as_bytes());
    }

    #[tokio::test]
    async fn replies_follow_each_other() {
        let mut from = &b"+OK\r\n:-3\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n-ERR no\r\n:1"[..];
        for expected in [
            Ok(Reply::Text("OK".into())),
            Ok(Reply::Number(-3)),
            Ok(Reply::Text("a\r\nbc".into())),
            Ok(Reply::Text(String::new())),
            Ok(Reply::Nothing),
            Err("ERR no".into()),
        ] {
            assert_eq!(read(&mut from).await.expect("a reply"), expected);
        }
        assert!(read(&mut from).await.is_err());
        assert_eq!(read(&mut from).await.expect_err("the end").kind(), io::ErrorKind::UnexpectedEof);
    }

    #[tokio::test]
    async fn what_is_no_reply_is_an_error() {
        for sent in
            ["", "hello\r\n", "*1\r\n:1\r\n", ":one\r\n", "$-2\r\n", "$99999999999\r\n", "$1\r\nabc", "$3\r\nabcde", "+OK\n"]
        {
            assert!(read(&mut sent.as_bytes()).await.is_err(), "{sent:?}");
        }
    }
}
