//! One connection to Redis: made, greeted, asked, judged.

use std::io;

use tokio::{
    io::{AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::address::Address;
use super::protocol::{self, Reply};

/// A connection.
pub struct Connection {
    stream: BufReader<TcpStream>,
    /// Whether every reply has been read. Whoever asks may be gone before: the next one would be given what is not theirs.
    in_step: bool,
}

impl Connection {
    /// Connects, says who asks, and chooses the database.
    ///
    /// # Errors
    /// When Redis is out of reach or refuses.
    pub async fn open(address: &Address) -> io::Result<Self> {
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
        stream.set_nodelay(true)?;
        let mut connection = Self { stream: BufReader::new(stream), in_step: true };
        if let Some(password) = &address.password {
            let login: &[&str] = match &address.user {
                Some(user) => &["AUTH", user, password],
                None => &["AUTH", password],
            };
            connection.ask(&[login]).await?;
        }
        if let Some(database) = address.database {
            connection.ask(&[&["SELECT", &database.to_string()]]).await?;
        }
        Ok(connection)
    }

    /// Sends commands at once and gives their replies, one for each.
    ///
    /// # Errors
    /// When the connection is lost, or Redis refuses a command.
    pub async fn ask(&mut self, commands: &[&[&str]]) -> io::Result<Vec<Reply>> {
        let mut request = Vec::new();
        commands.iter().for_each(|command| protocol::write(&mut request, command));
        self.in_step = false;
        self.stream.write_all(&request).await?;
        let mut replies = Vec::new();
        for _ in commands {
            replies.push(protocol::read(&mut self.stream).await?);
        }
        self.in_step = true;
        let answer = |reply: Result<Reply, String>| reply.map_err(|why| io::Error::other(format!("Redis refuses: {why}")));
        replies.into_iter().map(answer).collect()
    }

    /// Whether the next command may go this way: nothing is left to be read, and the other end has not hung up.
    pub fn is_usable(&self) -> bool {
        let silent = || self.stream.get_ref().try_read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        self.in_step && self.stream.buffer().is_empty() && silent()
    }
}
