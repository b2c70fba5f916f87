//! The client against a server of the test's own, which answers as it is told to.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;

const PATIENCE: Duration = Duration::from_millis(200);

/// A server that was not asked yet, and a client of it.
async fn pair() -> (TcpListener, Redis) {
    let server = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = server.local_addr().expect("a bound address");
    (server, Redis::new(&format!("redis://:hidden@{address}/1"), PATIENCE).expect("a sound URL"))
}

/// Waits for these commands, and answers.
async fn exchange(stream: &mut TcpStream, commands: &[&[&str]], answer: &str) {
    let mut expected = Vec::new();
    commands.iter().for_each(|command| protocol::write(&mut expected, command));
    let mut request = vec![0; expected.len()];
    stream.read_exact(&mut request).await.expect("a request");
    assert_eq!(String::from_utf8_lossy(&request), String::from_utf8_lossy(&expected));
    stream.write_all(answer.as_bytes()).await.expect("somebody who reads");
}

/// Takes a new connection, with what it begins with.
async fn accept(server: &TcpListener) -> TcpStream {
    let (mut stream, _) = server.accept().await.expect("a connection");
    exchange(&mut stream, &[&["AUTH", "hidden"]], "+OK\r\n").await;
    exchange(&mut stream, &[&["SELECT", "1"]], "+OK\r\n").await;
    stream
}

#[tokio::test]
async fn one_connection_serves_one_request_after_the_other() {
    let (server, redis) = pair().await;
    let serve = async {
        let mut stream = accept(&server).await;
        exchange(&mut stream, &[&["PING"]], "+PONG\r\n").await;
        exchange(&mut stream, &[&["SET", "a", "b", "EX", "9"]], "+OK\r\n").await;
        exchange(&mut stream, &[&["GET", "a"]], "$1\r\nb\r\n").await;
        exchange(&mut stream, &[&["GET", "c"]], "$-1\r\n").await;
        exchange(&mut stream, &[&["SET", "n", "0", "EX", "9", "NX"], &["INCR", "n"]], "$-1\r\n:7\r\n").await;
    };
    let ask = async {
        redis.ping().await.expect("an answer");
        redis.set("a", "b", 9).await.expect("an answer");
        assert_eq!(redis.get("a").await.expect("an answer").as_deref(), Some("b"));
        assert_eq!(redis.get("c").await.expect("an answer"), None);
        assert_eq!(redis.count("n", 9).await.expect("an answer"), 7);
    };
    tokio::join!(serve, ask);
}

#[tokio::test]
async fn a_connection_that_was_lost_is_made_again() {
    let (server, redis) = pair().await;
    let serve = async {
        exchange(&mut accept(&server).await, &[&["PING"]], "+PONG\r\n").await;
        exchange(&mut accept(&server).await, &[&["PING"]], "+PONG\r\n").await;
    };
    let ask = async {
        redis.ping().await.expect("an answer");
        // The runtime learns of the end as of anything else: when nobody has anything to do.
        tokio::time::sleep(PATIENCE / 10).await;
        redis.ping().await.expect("an answer to the first request after it");
    };
    tokio::join!(serve, ask);
}

#[tokio::test]
async fn nobody_is_given_the_answer_to_what_another_has_asked() {
    let (server, redis) = pair().await;
    let serve = async {
        let mut late = accept(&server).await;
        exchange(&mut late, &[&["GET", "a"]], "").await;
        let mut stream = accept(&server).await;
        late.write_all(b"$1\r\na\r\n").await.expect("sent, whoever reads it");
        exchange(&mut stream, &[&["GET", "b"]], "$1\r\nb\r\n").await;
    };
    let ask = async {
        // Its request goes away before Redis answers.
        assert!(timeout(PATIENCE / 4, redis.get("a")).await.is_err());
        assert_eq!(redis.get("b").await.expect("an answer").as_deref(), Some("b"));
    };
    tokio::join!(serve, ask);
}

#[tokio::test]
async fn a_refusal_is_told_and_silence_ends() {
    let (server, redis) = pair().await;
    let serve = async {
        let mut stream = accept(&server).await;
        exchange(&mut stream, &[&["SET", "n", "0", "EX", "9", "NX"], &["INCR", "n"]], "$-1\r\n-WRONGTYPE no number\r\n").await;
        let mut silent = accept(&server).await;
        exchange(&mut silent, &[&["PING"]], "").await;
        tokio::time::sleep(2 * PATIENCE).await;
    };
    let ask = async {
        let error = redis.count("n", 9).await.expect_err("a refusal");
        assert_eq!(error.to_string(), "Redis refuses: WRONGTYPE no number");
        assert_eq!(redis.ping().await.expect_err("silence").kind(), io::ErrorKind::TimedOut);
    };
    tokio::join!(serve, ask);
}

#[tokio::test]
async fn a_password_that_is_wrong_is_an_error() {
    let (server, redis) = pair().await;
    let serve = async {
        let (mut stream, _) = server.accept().await.expect("a connection");
        exchange(&mut stream, &[&["AUTH", "hidden"]], "-WRONGPASS invalid\r\n").await;
    };
    let ask = async {
        let error = redis.ping().await.expect_err("a refusal").to_string();
        assert!(error.contains("WRONGPASS") && !error.contains("hidden"), "{error}");
    };
    tokio::join!(serve, ask);
}
